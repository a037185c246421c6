using Microsoft.Extensions.Logging;

namespace Cairn.State;

public sealed partial class ReconcilerLoop
{
    [LoggerMessage(Level = LogLevel.Warning, Message = "Reconciler {Name} rests: the server's lead of epoch {Epoch} is over")]
    private static partial void LogLeadOver(ILogger logger, string name, long epoch);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Reconciler {Name} could not reach its rows and tries again in {Pause}")]
    private static partial void LogPause(ILogger logger, Exception error, string name, TimeSpan pause);

    [LoggerMessage(Level = LogLevel.Critical, Message = "Reconciler {Name} died of a defect; the server stops")]
    private static partial void LogDeath(ILogger logger, Exception error, string name);
}
