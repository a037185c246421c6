using Cairn.Frameworks.ChatTemplates;
using Cairn.Frameworks.Engine.Metrics;
using Cairn.Frameworks.Tokenizing;

namespace Cairn.Frameworks.Engine.Hosting;

/// <summary>A language model that this process serves: the running model, its chat template and its metrics.</summary>
public sealed class ServedLanguageModel : ServedModel
{
    private ServedLanguageModel(ModelSource source, LanguageModel model, SpecialTokenNames special, DateTimeOffset loaded)
        : base(source.Name, loaded)
    {
        Source = source;
        Model = model;
        SpecialTokens = special;
        Metrics = new RequestMetrics(source.Name, model.ContextLength);
    }

    public ModelSource Source { get; }

    public LanguageModel Model { get; }

    /// <summary>Null where the folder has none; then only plain completions are answered.</summary>
    public ChatTemplate? Template { get; private init; }

    public override int? ContextLength => Model.ContextLength;

    internal SpecialTokenNames SpecialTokens { get; }

    internal RequestMetrics Metrics { get; }

    /// <summary>Loads model, tokenizer and template; takes as long as reading the weights does.</summary>
    /// <exception cref="ModelLoadException">The folder does not hold a language model that can be loaded.</exception>
    public static async Task<ServedLanguageModel> LoadAsync(ModelSource source, TimeProvider time, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(time);
        var loading = Task.Run(() => LanguageModel.Load(source.Folder, source.Engine, time), cancellationToken);
        try
        {
            var template = ChatTemplate.Load(source.Folder);
            var special = SpecialTokenNames.Load(source.Folder);
            return new ServedLanguageModel(source, await loading, special, time.GetUtcNow()) { Template = template };
        }
        catch (Exception exception)
        {
            // Whatever it is: a load that goes on behind a process that ends crashes in native code.
            await Task.WhenAny(loading);
            if (loading.IsCompletedSuccessfully)
                await (await loading).DisposeAsync();
            if (exception is ModelLoadException || !IsOfTheFolder(exception))
                throw;
            throw new ModelLoadException(exception.Message, exception);
        }
    }

    public override ValueTask DisposeAsync() => Model.DisposeAsync();

    private static bool IsOfTheFolder(Exception exception) =>
        exception is ModelLoadException or ChatTemplateException or TokenizerFormatException or IOException or UnauthorizedAccessException;
}
