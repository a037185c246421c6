using Microsoft.Extensions.Logging;

namespace Cairn.Serving.Batches;

internal sealed partial class BatchReconciler
{
    [LoggerMessage(Level = LogLevel.Warning, Message = "Batch {Batch} could not be moved on and is tried again")]
    private static partial void LogPause(ILogger logger, Exception error, string batch);

    [LoggerMessage(Level = LogLevel.Information, Message = "Batch {Batch} goes to its step {Step}")]
    private static partial void LogStep(ILogger logger, string batch, BatchStep step);
}
