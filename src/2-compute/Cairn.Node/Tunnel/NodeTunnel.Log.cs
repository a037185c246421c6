using Microsoft.Extensions.Logging;

namespace Cairn.Node.Tunnel;

internal sealed partial class NodeTunnel
{
    [LoggerMessage(Level = LogLevel.Information, Message = "The tunnel for services stands")]
    private static partial void LogOpened(ILogger logger);

    [LoggerMessage(Level = LogLevel.Information, Message = "The tunnel for services ended: {Reason}")]
    private static partial void LogEnded(ILogger logger, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The tunnel for services cannot be opened: {Reason}")]
    private static partial void LogFailed(ILogger logger, string reason);
}
