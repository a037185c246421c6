using Cairn.Frameworks.Engine.Hosting;
using Cairn.Frameworks.Engine.OpenAi;
using Cairn.Frameworks.Engine.Tensors;
using Cairn.Frameworks.Tokenizing;

namespace Cairn.Frameworks.Engine.Embedding;

/// <summary>An embedding model that this process serves behind <c>/v1/embeddings</c>.</summary>
internal sealed class ServedEmbeddingModel : ServedModel, ITextEmbedder
{
    private readonly TextEncoder _encoder;
    private readonly EncoderFolder _folder;

    private ServedEmbeddingModel(ModelSource source, TextEncoder encoder, EncoderFolder folder, DateTimeOffset loaded)
        : base(source.Name, loaded)
    {
        (_encoder, _folder) = (encoder, folder);
        Dimensions = encoder.Output.Shape is [.., > 0 and var last]
            ? (int)last
            : throw new ModelLoadException(
                $"{folder.ModelFile}: the output '{encoder.Output.Name}' does not say how many dimensions it has");
    }

    public int Dimensions { get; }

    public override int? ContextLength => _encoder.MaximumLength;

    /// <exception cref="ModelLoadException">The folder does not hold an embedding model that can be loaded.</exception>
    public static ServedEmbeddingModel Load(EncoderFolder folder, ModelSource source, TimeProvider time)
    {
        // A graph that pools itself knows best how.
        var encoder = TextEncoder.Load(
            folder, source, ["sentence_embedding", "last_hidden_state", "token_embeddings", "pooler_output"], time);
        return new(source, encoder, folder, time.GetUtcNow());
    }

    /// <summary>What is longer than the model reads is cut, as sentence-transformers does.</summary>
    public async Task<EmbeddedTexts> EmbedAsync(IReadOnlyList<EmbeddingInput> inputs, CancellationToken cancellationToken)
    {
        var texts = inputs.Select(Tokenize).ToList();
        var outputs = await _encoder.RunAsync(texts, cancellationToken);
        return new([.. outputs.Select((output, i) => Vector(output, texts[i]))], texts.Sum(text => text.Ids.Length));
    }

    public override ValueTask DisposeAsync() => _encoder.DisposeAsync();

    private TokenizedText Tokenize(EmbeddingInput input)
    {
        if (input.Text is { } text)
        {
            var tokenized = _encoder.Tokenizer.EncodePair(text, maximumTokens: _encoder.MaximumLength);
            return tokenized.Ids.Length > 0 ? tokenized : throw new ArgumentException("an input has no tokens; expected at least one");
        }

        var tokens = input.Tokens!;
        if (tokens.Length == 0)
            throw new ArgumentException("an input has no tokens; expected at least one");
        if (Array.FindIndex(tokens, token => token < 0 || token >= _encoder.Tokenizer.VocabularySize) is >= 0 and var wrong)
            throw new ArgumentException(
                $"the token {tokens[wrong]} is not of this model's vocabulary; 0 to {_encoder.Tokenizer.VocabularySize - 1} are");
        var kept = tokens.Length <= _encoder.MaximumLength ? tokens : tokens[.._encoder.MaximumLength];
        return new(kept, new int[kept.Length], kept.Length < tokens.Length);
    }

    private float[] Vector(Tensor output, TokenizedText text)
    {
        var numbers = TextEncoder.Floats(output);
        var vector = output.Shape.Length == 3 ? Pooling.Apply(_folder.Pooling, numbers, text.Ids.Length, Dimensions) : numbers.ToArray();
        if (_folder.Normalizes)
            Pooling.Normalize(vector);
        return vector;
    }
}
