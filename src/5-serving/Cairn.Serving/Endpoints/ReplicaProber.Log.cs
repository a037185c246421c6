using Cairn.Contracts.Ids;
using Microsoft.Extensions.Logging;

namespace Cairn.Serving.Endpoints;

internal sealed partial class ReplicaProber
{
    [LoggerMessage(Level = LogLevel.Information, Message = "Task {Task} answers after {Milliseconds} ms of probing")]
    private static partial void LogReady(ILogger logger, TaskId task, long milliseconds);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Task {Task} does not answer any more: {Why}")]
    private static partial void LogUnready(ILogger logger, TaskId task, string why);

    [LoggerMessage(Level = LogLevel.Critical, Message = "The prober of task {Task} died of a defect; the server stops")]
    private static partial void LogDeath(ILogger logger, Exception error, TaskId task);
}
