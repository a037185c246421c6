using Microsoft.Extensions.Logging;

namespace Cairn.Fleet.Tunnels;

public sealed partial class NodeTunnels
{
    [LoggerMessage(Level = LogLevel.Information, Message = "Node {Node} has opened its tunnel")]
    private static partial void LogOpened(ILogger logger, string node);

    [LoggerMessage(Level = LogLevel.Information, Message = "The tunnel of node {Node} ended: {Reason}")]
    private static partial void LogEnded(ILogger logger, string node, string reason);
}
