namespace Cairn.Frameworks.Engine.Hosting;

/// <summary>Loads a folder as the kind of model that it holds.</summary>
internal static class ModelLoading
{
    /// <exception cref="ModelLoadException">The folder does not hold a model that can be loaded.</exception>
    public static async Task<ServedModel> LoadAsync(ModelSource source, TimeProvider time, CancellationToken cancellationToken) =>
        await ServedLanguageModel.LoadAsync(source, time, cancellationToken);
}
