using Microsoft.Extensions.Logging;

namespace Cairn.State;

public sealed partial class ReconcilerLoop
{
    [LoggerMessage(Level = LogLevel.Information, Message = "Reconciler {Name} holds its lease under epoch {Epoch}")]
    private static partial void LogLeaseAcquired(ILogger logger, string name, long epoch);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Reconciler {Name} lost its lease of epoch {Epoch} and asks for it again")]
    private static partial void LogLeaseLost(ILogger logger, string name, long epoch);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Reconciler {Name} could not reach its rows and tries again in {Pause}")]
    private static partial void LogPause(ILogger logger, Exception error, string name, TimeSpan pause);

    [LoggerMessage(Level = LogLevel.Critical, Message = "Reconciler {Name} died of a defect; the server stops")]
    private static partial void LogDeath(ILogger logger, Exception error, string name);
}
