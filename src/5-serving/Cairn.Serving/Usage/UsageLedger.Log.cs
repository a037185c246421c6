using Microsoft.Extensions.Logging;

namespace Cairn.Serving.Usage;

internal sealed partial class UsageLedger
{
    [LoggerMessage(Level = LogLevel.Critical, Message = "The usage of the last {Requests} requests could not be written before the end and is lost")]
    private static partial void LogLost(ILogger logger, Exception error, long requests);
}
