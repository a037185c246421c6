using Microsoft.Extensions.Logging;

namespace Cairn.Frameworks.Engine.Hosting;

public sealed partial class EngineHost
{
    [LoggerMessage(LogLevel.Information, "Model {Model} is loaded from {Folder}")]
    private static partial void LogLoaded(ILogger logger, string model, string folder);
}
