namespace Cairn.Frameworks.Engine.Hosting;

/// <summary>
/// A loaded model under the name that requests give. What it can do is told by what it is: a <see cref="ServedLanguageModel"/> generates,
/// an <see cref="OpenAi.ITextEmbedder"/> embeds. Disposing gives its memory back.
/// </summary>
public abstract class ServedModel(string name, DateTimeOffset loaded) : IAsyncDisposable
{
    public string Name { get; } = name;

    /// <summary>When it was loaded; OpenAI's <c>created</c>.</summary>
    public DateTimeOffset Loaded { get; } = loaded;

    /// <summary>The longest input in tokens, where the model has one.</summary>
    public virtual int? ContextLength => null;

    public abstract ValueTask DisposeAsync();
}
