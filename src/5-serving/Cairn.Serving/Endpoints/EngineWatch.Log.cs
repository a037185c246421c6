using Cairn.Contracts.Ids;
using Microsoft.Extensions.Logging;

namespace Cairn.Serving.Endpoints;

internal sealed partial class EngineWatch
{
    [LoggerMessage(Level = LogLevel.Critical, Message = "The watch over the engine of task {Task} died of a defect; the server stops")]
    private static partial void LogDeath(ILogger logger, Exception error, TaskId task);
}
