using Microsoft.Extensions.Logging;

namespace Cairn.State;

public sealed partial class Leadership
{
    [LoggerMessage(Level = LogLevel.Information, Message = "This server leads, under epoch {Epoch}")]
    private static partial void LogTaken(ILogger logger, long epoch);

    [LoggerMessage(Level = LogLevel.Warning, Message = "This server leads no more: its lease of epoch {Epoch} is lost, and it asks for it again")]
    private static partial void LogLost(ILogger logger, long epoch);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The lease could not be asked for; it is tried again in {Pause}")]
    private static partial void LogPause(ILogger logger, Exception error, TimeSpan pause);

    [LoggerMessage(Level = LogLevel.Critical, Message = "Asking for the lease died of a defect; the server stops")]
    private static partial void LogDeath(ILogger logger, Exception error);
}
