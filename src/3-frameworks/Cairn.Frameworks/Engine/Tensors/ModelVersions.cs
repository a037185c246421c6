using System.Globalization;
using Microsoft.Extensions.Logging;

namespace Cairn.Frameworks.Engine.Tensors;

/// <summary>Where a load takes a model from.</summary>
internal sealed record LoadSource(ModelFolder? Folder, ModelOverrides? Overrides);

/// <summary>One model's loaded versions and their states; loads and unloads one after the other.</summary>
internal sealed class ModelVersions(string name)
{
    public const string Unloaded = "unloaded";

    private readonly SemaphoreSlim _turn = new(1);
    private volatile Dictionary<long, ModelVersion> _ready = [];
    private volatile IReadOnlyList<VersionState> _states = [];
    private string? _temporaryFolder;

    public IReadOnlyDictionary<long, ModelVersion> Ready => _ready;

    public IReadOnlyList<VersionState> States => _states;

    public async Task LoadAsync(
        LoadSource source, TensorOptions options, (TimeProvider Time, ILogger Logger) services, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        ModelFolder? written = null;
        try
        {
            if (_ready.Count == 0)
                _states = [new(name, "", ModelState.Loading, "")];
            written = source.Overrides?.Files.Count > 0 ? source.Overrides.Write(name) : null;
            var folder = written ?? source.Folder!;
            // Loading blocks in native code for as long as the model is large.
            var loaded = await Task.Run(() => LoadVersions(folder, source.Overrides, options, services), cancellationToken);
            var before = _ready;
            _ready = loaded;
            _states = [.. loaded.Keys.Order().Select(version => State(version, ModelState.Ready, ""))];
            await CloseAsync(before.Values);
            DeleteTemporaryFolder();
            _temporaryFolder = written?.Folder;
            written = null;
        }
        catch (Exception failure)
        {
            if (_ready.Count == 0)
                _states = [new(name, "", ModelState.Unavailable, failure.Message)];
            if (failure is IOException or UnauthorizedAccessException)
                throw new ModelLoadException($"failed to load '{name}': {failure.Message}", failure);
            throw;
        }
        finally
        {
            if (written is not null)
                Directory.Delete(written.Folder, recursive: true);
            _turn.Release();
        }
    }

    public async Task UnloadAsync(CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            var versions = _ready;
            _states = [.. versions.Keys.Order().Select(version => State(version, ModelState.Unloading, ""))];
            _ready = [];
            await CloseAsync(versions.Values);
            _states = [.. versions.Keys.Order().Select(version => State(version, ModelState.Unavailable, Unloaded))];
            DeleteTemporaryFolder();
        }
        finally
        {
            _turn.Release();
        }
    }

    private static Dictionary<long, ModelVersion> LoadVersions(
        ModelFolder folder, ModelOverrides? overrides, TensorOptions options, (TimeProvider Time, ILogger Logger) services)
    {
        var written = overrides?.Config is { } json ? ModelFolder.ParseOverride(json) : folder.ReadConfig();
        var loaded = new Dictionary<long, ModelVersion>();
        try
        {
            foreach (var at in folder.Versions(written.Config))
                loaded[at.Version] = ModelVersion.Load(folder, at, written, options, services);
            return loaded;
        }
        catch
        {
            foreach (var version in loaded.Values)
                version.DisposeAsync().AsTask().GetAwaiter().GetResult();
            HeapTrim.Run();
            throw;
        }
    }

    private static async Task CloseAsync(IReadOnlyCollection<ModelVersion> versions)
    {
        foreach (var version in versions)
            await version.DisposeAsync();
        if (versions.Count > 0)
            HeapTrim.Run();
    }

    private VersionState State(long version, ModelState state, string reason) =>
        new(name, version.ToString(CultureInfo.InvariantCulture), state, reason);

    private void DeleteTemporaryFolder()
    {
        if (_temporaryFolder is { } folder)
            Directory.Delete(folder, recursive: true);
        _temporaryFolder = null;
    }
}
