using Cairn.Frameworks.Engine.Hosting;
using Cairn.Frameworks.Tokenizing;

namespace Cairn.Frameworks.Engine.Embedding;

/// <summary>Scores in the order of the documents, 0 to 1, and how many tokens were read for them.</summary>
internal sealed record RerankedDocuments(float[] Scores, int Tokens);

/// <summary>A cross-encoder that this process serves behind <c>/v1/rerank</c>: it reads query and document together.</summary>
internal sealed class ServedReranker : ServedModel
{
    private readonly TextEncoder _encoder;
    private readonly int _labels;

    private ServedReranker(ModelSource source, TextEncoder encoder, EncoderFolder folder, DateTimeOffset loaded)
        : base(source.Name, loaded)
    {
        _encoder = encoder;
        _labels = encoder.Output.Shape is [_, 1 or 2 or -1] ? (int)Math.Abs(encoder.Output.Shape[1]) : throw new ModelLoadException(
            $"{folder.ModelFile}: its logits have the shape {Tensors.TensorContents.Show(encoder.Output.Shape)}; "
            + $"a reranker has one or two per pair");
    }

    public override int? ContextLength => _encoder.MaximumLength;

    /// <exception cref="ModelLoadException">The folder does not hold a reranker that can be loaded.</exception>
    public static ServedReranker Load(EncoderFolder folder, ModelSource source, TimeProvider time) =>
        new(source, TextEncoder.Load(folder, source, ["logits", "scores"], time), folder, time.GetUtcNow());

    /// <summary>A pair that is longer than the model reads loses the end of its longer text, mostly the document's.</summary>
    public async Task<RerankedDocuments> RerankAsync(string query, IReadOnlyList<string> documents, CancellationToken cancellationToken)
    {
        List<TokenizedText> pairs = 
            [.. documents.Select(document => _encoder.Tokenizer.EncodePair(query, document, _encoder.MaximumLength))];
        var outputs = await _encoder.RunAsync(pairs, cancellationToken);
        return new([.. outputs.Select(output => Score(TextEncoder.Floats(output)))], pairs.Sum(pair => pair.Ids.Length));
    }

    public override ValueTask DisposeAsync() => _encoder.DisposeAsync();

    /// <summary>The logistic function of one logit; of two the second's share, which is that of their difference.</summary>
    private float Score(ReadOnlySpan<float> logits) => 1 / (1 + MathF.Exp(-(_labels == 2 ? logits[1] - logits[0] : logits[0])));
}
