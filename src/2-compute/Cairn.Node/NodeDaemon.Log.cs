using Microsoft.Extensions.Logging;

namespace Cairn.Node;

public sealed partial class NodeDaemon
{
    [LoggerMessage(Level = LogLevel.Information,
        Message = "Node {Name} ({Id}) of the control plane at {Server}; tasks run as {TaskUser}, cgroup limits: {Limits}")]
    private static partial void LogJoined(ILogger logger, string name, string id, string server, string taskUser, string limits);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The server {Server} cannot be reached to join it ({Reason}); trying again")]
    private static partial void LogJoinFailed(ILogger logger, string server, string reason);

    [LoggerMessage(Level = LogLevel.Critical, Message = "The control plane refuses this node: {Code} {Message}; stopping all tasks")]
    private static partial void LogRefused(ILogger logger, string code, string message);

    [LoggerMessage(Level = LogLevel.Critical, Message = "The node daemon died; tasks go on, and the next daemon takes them up")]
    private static partial void LogDied(ILogger logger, Exception exception);
}
