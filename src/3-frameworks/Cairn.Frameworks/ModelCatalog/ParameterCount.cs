namespace Cairn.Frameworks.ModelCatalog;

/// <summary>
/// A model's parameters by where they sit, computed from its shape alone: matrices of linear layers, their biases, norms, embeddings and
/// routers, as the published implementations of the architectures lay them out.
/// </summary>
/// <param name="Embedding">The token embedding.</param>
/// <param name="Head">The output projection; 0 where it is the embedding or absent.</param>
/// <param name="Attention">All layers, linear attention included.</param>
/// <param name="DenseFeedForward">Dense layers and shared experts.</param>
/// <param name="RoutedExperts">All of them.</param>
/// <param name="ActiveExperts">Those of them that one token uses.</param>
/// <param name="Routers">Routers and gates.</param>
/// <param name="Norms">Norms of the residual stream.</param>
/// <param name="Other">What the catalogue names beside the text transformer.</param>
public sealed record ParameterCount(
    long Embedding, long Head, long Attention, long DenseFeedForward, long RoutedExperts, long ActiveExperts, long Routers, long Norms,
    long Other)
{
    public long Total => Embedding + Head + Attention + DenseFeedForward + RoutedExperts + Routers + Norms + Other;

    /// <summary>What every token multiplies with: without the embedding's look-up, with the output projection (tied or not).</summary>
    public long ActivePerToken(bool tiedEmbeddings) =>
        (tiedEmbeddings ? Embedding : Head) + Attention + DenseFeedForward + ActiveExperts + Routers + Norms;

    public static ParameterCount Of(ModelShape shape)
    {
        ArgumentNullException.ThrowIfNull(shape);
        var (hidden, layers, experts) = ((long)shape.Hidden, shape.Layers, shape.FeedForward.Experts);
        var embedding = shape.Vocabulary * hidden;
        var expertLayers = experts is null ? 0 : layers - shape.FeedForward.DenseLayers;
        var expert = experts is null ? 0 : FeedForward(hidden, experts.Intermediate, !shape.FeedForward.Ungated, experts.Bias);
        var norm = hidden * (shape.LayerNorm ? 2 : 1);
        return new ParameterCount(
            embedding,
            !shape.Headless && !shape.TiedEmbeddings ? embedding : 0,
            AttentionOf(shape),
            DenseOf(shape, expertLayers, expert),
            expertLayers * expert * (experts?.Count ?? 0),
            expertLayers * expert * (experts?.Active ?? 0),
            expertLayers * RouterOf(hidden, experts),
            norm * ((long)layers * shape.NormsPerLayer + (shape.PostNorm ? 0 : 1)),
            shape.OtherParameters);
    }

    private static long RouterOf(long hidden, ExpertShape? experts) =>
        experts is null ? 0 : experts.Count * (hidden + (experts.RouterBias ? 1 : 0)) + (experts.SharedGate ? hidden : 0);

    private static long DenseOf(ModelShape shape, int expertLayers, long expert)
    {
        var form = shape.FeedForward;
        var dense = FeedForward(shape.Hidden, form.Intermediate, !form.Ungated, form.Bias);
        var denseLayers = shape.Layers - (form.DenseBesideExperts ? 0 : expertLayers);
        return denseLayers * dense + expertLayers * expert * (form.Experts?.Shared ?? 0);
    }

    private static long FeedForward(long hidden, long intermediate, bool gated, bool bias)
    {
        var into = gated ? 2 : 1;
        return (into + 1) * hidden * intermediate + (bias ? into * intermediate + hidden : 0);
    }

    private static long AttentionOf(ModelShape shape)
    {
        var form = shape.Attention;
        var linear = form.Linear is { } l ? l.Layers * Linear(shape.Hidden, l) : 0;
        var softmaxLayers = shape.Layers - (form.Linear?.Layers ?? 0);
        if (form.Latent is { } latent)
            return linear + softmaxLayers * Latent(shape.Hidden, form.Heads, latent);
        var global = form.Global is { } g ? g.Layers * Softmax(shape.Hidden, form, g.HeadSize, g.KvHeads, g.KeyIsValue) : 0;
        var others = softmaxLayers - (form.Global?.Layers ?? 0);
        return linear + global + others * Softmax(shape.Hidden, form, form.HeadSize, form.KvHeads, keyIsValue: false);
    }

    private static long Softmax(long hidden, AttentionShape form, long headSize, long kvHeads, bool keyIsValue)
    {
        var (queries, keys) = (form.Heads * headSize, kvHeads * headSize);
        var matrices = hidden * (queries * (form.Gate ? 2 : 1) + keys * (keyIsValue ? 1 : 2) + queries);
        var biases = form.Bias is AttentionBias.None ? 0 : queries + 2 * keys + (form.Bias is AttentionBias.All ? hidden : 0);
        var norms = form.QkNorm switch { QueryKeyNorm.Head => 2 * headSize, QueryKeyNorm.Full => queries + keys, _ => 0 };
        return matrices + biases + norms + (form.Sinks ? form.Heads : 0);
    }

    private static long Latent(long hidden, long heads, LatentAttention form)
    {
        var querySize = heads * (form.NopeSize + form.RopeSize);
        var queries = form.QueryRank is { } rank ? hidden * rank + rank + rank * querySize : hidden * querySize;
        var keysAndValues = hidden * (form.KvRank + form.RopeSize) + form.KvRank + form.KvRank * heads * (form.NopeSize + form.ValueSize);
        var indexer = form.IndexHeads == 0
            ? 0
            : (form.QueryRank ?? hidden) * form.IndexHeads * form.IndexSize
              + hidden * (form.IndexSize + form.IndexHeads) + 2 * form.IndexSize;
        return queries + keysAndValues + indexer + heads * form.ValueSize * hidden;
    }

    private static long Linear(long hidden, LinearAttention form)
    {
        var (keys, values) = ((long)form.KeyHeads * form.KeySize, (long)form.ValueHeads * form.ValueSize);
        var into = hidden * (2 * keys + 2 * values + 2 * form.ValueHeads);
        return into + (2 * keys + values) * form.Kernel + 2 * form.ValueHeads + form.ValueSize + values * hidden;
    }
}
