using Microsoft.Extensions.Logging;

namespace Cairn.Frameworks.Engine.Tensors;

public sealed partial class ModelRepository
{
    [LoggerMessage(Level = LogLevel.Information, Message = "Model {Name} is loaded, versions {Versions}.")]
    private static partial void IsLoaded(ILogger logger, string name, string versions);

    [LoggerMessage(Level = LogLevel.Information, Message = "Model {Name} is unloaded.")]
    private static partial void IsUnloaded(ILogger logger, string name);

    [LoggerMessage(Level = LogLevel.Error, Message = "Model {Name} cannot be loaded: {Reason}")]
    private static partial void NotLoaded(ILogger logger, string name, string reason);
}
