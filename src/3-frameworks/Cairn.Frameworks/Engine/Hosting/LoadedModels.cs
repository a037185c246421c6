using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace Cairn.Frameworks.Engine.Hosting;

/// <summary>The models that this process serves, by name. Owns them: what is in it is disposed with it. Safe for concurrent use.</summary>
public sealed class LoadedModels : IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, ServedModel> _models = new(StringComparer.Ordinal);

    /// <summary>False where the name is taken; the model then stays the caller's.</summary>
    public bool TryAdd(ServedModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return _models.TryAdd(model.Name, model);
    }

    /// <summary>Takes a model out; it is then the caller's to dispose.</summary>
    public bool TryRemove(string name, [NotNullWhen(true)] out ServedModel? model) => _models.TryRemove(name, out model);

    public ServedModel? Find(string name) => _models.GetValueOrDefault(name);

    /// <summary>All of one kind, in the order of their names.</summary>
    public IReadOnlyList<T> All<T>() =>
        [.. _models.Values.OrderBy(model => model.Name, StringComparer.Ordinal).OfType<T>()];

    public async ValueTask DisposeAsync()
    {
        foreach (var name in _models.Keys)
        {
            if (_models.TryRemove(name, out var model))
                await model.DisposeAsync();
        }
    }
}
