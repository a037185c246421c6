using Cairn.Contracts.Ids;
using Microsoft.Extensions.Logging;

namespace Cairn.Serving.Endpoints;

internal sealed partial class EndpointReconciler
{
    [LoggerMessage(Level = LogLevel.Information, Message = "Endpoint {Endpoint}: {Kind}: {Message}")]
    private static partial void LogEvent(ILogger logger, string endpoint, string kind, string message);

    [LoggerMessage(Level = LogLevel.Warning, Message = "A replica of endpoint {Endpoint} was refused: {Why}")]
    private static partial void LogRefused(ILogger logger, EndpointId endpoint, string why);
}
