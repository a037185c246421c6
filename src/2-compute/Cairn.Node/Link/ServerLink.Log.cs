using Microsoft.Extensions.Logging;

namespace Cairn.Node.Link;

internal sealed partial class ServerLink
{
    [LoggerMessage(Level = LogLevel.Information, Message = "Attached to the control plane")]
    private static partial void LogAttached(ILogger logger);

    [LoggerMessage(Level = LogLevel.Information, Message = "The control plane ended the stream; connecting again")]
    private static partial void LogStreamEnded(ILogger logger);

    [LoggerMessage(Level = LogLevel.Warning, Message = "No connection to the control plane ({Reason}); tasks go on, trying again")]
    private static partial void LogConnectionLost(ILogger logger, string reason);
}
