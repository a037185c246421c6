using Cairn.Frameworks.Engine.Tensors;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cairn.Frameworks.Tests.Tensors;

/// <summary>A repository over a folder that goes with the test.</summary>
internal sealed class Repository : IAsyncDisposable
{
    private Repository(ModelRepository models, string folder) => (Models, Folder) = (models, folder);

    public ModelRepository Models { get; }

    public string Folder { get; }

    public static async Task<Repository> OpenAsync(Action<string> fill, Action<TensorOptions>? configure = null)
    {
        var folder = Directory.CreateTempSubdirectory("cairn-repository-").FullName;
        fill(folder);
        var options = new TensorOptions { Repositories = { folder }, Threads = 1 };
        configure?.Invoke(options);
        var models = new ModelRepository(options, TimeProvider.System, NullLogger<ModelRepository>.Instance);
        await models.LoadStartAsync(TestContext.Current.CancellationToken);
        return new(models, folder);
    }

    public ModelVersion Find(string name, string? version = null) => Models.Find(name, version);

    public async ValueTask DisposeAsync()
    {
        await Models.DisposeAsync();
        Directory.Delete(Folder, recursive: true);
    }
}
