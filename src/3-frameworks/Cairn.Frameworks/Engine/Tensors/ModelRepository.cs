using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.Extensions.Logging;

namespace Cairn.Frameworks.Engine.Tensors;

/// <summary>Where a version is in its life, by Triton's names.</summary>
internal enum ModelState
{
    Unavailable,
    Loading,
    Ready,
    Unloading,
}

/// <summary>A version's state as the index shows it.</summary>
internal sealed record VersionState(string Name, string Version, ModelState State, string Reason);

/// <summary>The models of the repositories: which there are, which are loaded, and loading and unloading them while they serve.</summary>
public sealed partial class ModelRepository : IAsyncDisposable
{
    private readonly TensorOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly ConcurrentDictionary<string, ModelVersions> _models = new(StringComparer.Ordinal);

    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    public ModelRepository(TensorOptions options, TimeProvider time, ILogger<ModelRepository> logger)
    {
        HeapTrim.MapLargeBlocks();
        ArgumentNullException.ThrowIfNull(options);
        if (options.Problems() is { Count: > 0 } problems)
            throw new ArgumentException(string.Join(" ", problems), nameof(options));
        (_options, _time, _logger) = (options, time, logger);
    }

    internal TensorOptions Options => _options;

    /// <summary>
    /// Loads the models of the start. One that cannot be loaded is unavailable, with its reason in the index; the others serve.
    /// </summary>
    public async Task LoadStartAsync(CancellationToken cancellationToken)
    {
        var names = _options.LoadsOnDemand ? _options.LoadAtStart : [.. ModelFolder.Discover(_options.Repositories).Keys];
        foreach (var name in names)
        {
            try
            {
                await LoadAsync(name, null, cancellationToken);
            }
            catch (Exception failure) when (failure is ModelLoadException or RefusedException)
            {
                NotLoaded(_logger, name, failure.Message);
            }
        }
    }

    /// <summary>Names of the models with a ready version.</summary>
    public IReadOnlyList<string> ReadyNames =>
        [.. _models.Where(pair => pair.Value.Ready.Count > 0).Select(pair => pair.Key).Order(StringComparer.Ordinal)];

    /// <summary>Whether no model that was asked for is missing or on its way.</summary>
    public bool IsReady =>
        _models.Values.All(model => model.States.All(state => state.State == ModelState.Ready || state.Reason == ModelVersions.Unloaded));

    /// <summary>Every loaded version, by name and number.</summary>
    internal IEnumerable<ModelVersion> Loaded =>
        _models.OrderBy(pair => pair.Key, StringComparer.Ordinal)
            .SelectMany(pair => pair.Value.Ready.Values.OrderBy(version => version.Version));

    /// <summary>Every version of every model, the never loaded as well.</summary>
    internal IReadOnlyList<VersionState> Index(bool readyOnly)
    {
        var states = new List<VersionState>();
        foreach (var name in ModelFolder.Discover(_options.Repositories).Keys.Union(_models.Keys).Order(StringComparer.Ordinal))
        {
            if (_models.TryGetValue(name, out var model) && model.States.Count > 0)
                states.AddRange(model.States);
            else
                states.Add(new(name, "", ModelState.Unavailable, "not loaded"));
        }

        return readyOnly ? [.. states.Where(state => state.State == ModelState.Ready)] : states;
    }

    internal IReadOnlyList<ModelVersion> VersionsOf(string name) =>
        _models.TryGetValue(name, out var model) ? [.. model.Ready.Values.OrderBy(version => version.Version)] : [];

    /// <summary>A ready version; the highest where none is named.</summary>
    /// <exception cref="RefusedException">Not found, or not ready.</exception>
    internal ModelVersion Find(string name, string? version)
    {
        if (!_models.TryGetValue(name, out var model) || model.States.Count == 0)
            throw RefusedException.NotFound($"Request for unknown model: '{name}' is not found");
        var ready = model.Ready;
        if (string.IsNullOrEmpty(version))
            return ready.Count > 0
                ? ready.Values.MaxBy(candidate => candidate.Version)!
                : throw RefusedException.Unavailable($"model '{name}' is not ready: {model.States[0].Reason}");
        if (!long.TryParse(version, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            throw RefusedException.Invalid($"'{version}' is not a version of '{name}'; a number is expected");
        return ready.GetValueOrDefault(number)
            ?? throw RefusedException.NotFound($"Request for unknown model: '{name}' version {version} is not at available versions");
    }

    /// <summary>Asks a model; a version that is replaced meanwhile passes the request on to its successor.</summary>
    /// <exception cref="RefusedException">The request does not fit, or there is no such model.</exception>
    internal async Task<(ModelVersion Version, InferenceAnswer Answer)> InferAsync(
        (string Name, string? Version) model, InferenceRequest request, CancellationToken cancellationToken)
    {
        while (true)
        {
            var version = Find(model.Name, model.Version);
            var answer = await version.InferAsync(
                request.Inputs, request.Outputs, request.Priority, request.TimeoutMicroseconds, cancellationToken);
            if (answer.Refusal?.Kind != RefusalKind.Unavailable || Find(model.Name, model.Version) == version)
                return (version, answer);
        }
    }

    /// <summary>Loads a model, or loads it again. On failure what served before goes on serving.</summary>
    /// <exception cref="ModelLoadException">With what is wrong.</exception>
    /// <exception cref="RefusedException">No repository has the model.</exception>
    internal async Task LoadAsync(string name, ModelOverrides? overrides, CancellationToken cancellationToken)
    {
        var known = ModelFolder.Discover(_options.Repositories).GetValueOrDefault(name);
        if (known is null && !(overrides?.Files.Count > 0 && IsName(name)))
            throw RefusedException.NotFound($"failed to load '{name}': no repository has a model of that name");
        var model = _models.GetOrAdd(name, static key => new ModelVersions(key));
        await model.LoadAsync(new LoadSource(known, overrides), _options, (_time, _logger), cancellationToken);
        IsLoaded(_logger, name, string.Join(", ", model.Ready.Keys.Order()));
    }

    /// <summary>Answers what the model has queued, then gives its memory back.</summary>
    /// <exception cref="RefusedException">There is no such model.</exception>
    internal async Task UnloadAsync(string name, CancellationToken cancellationToken)
    {
        if (!_models.TryGetValue(name, out var model))
        {
            if (!ModelFolder.Discover(_options.Repositories).ContainsKey(name))
                throw RefusedException.NotFound($"failed to unload '{name}': no repository has a model of that name");
            return;
        }

        await model.UnloadAsync(cancellationToken);
        IsUnloaded(_logger, name);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var model in _models.Values)
            await model.UnloadAsync(CancellationToken.None);
    }

    private static bool IsName(string name) =>
        name.Length is > 0 and <= 256 && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.');
}
