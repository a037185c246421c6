namespace Cairn.Frameworks.ModelCatalog;

/// <summary>The sizes of a transformer, in the words of its <c>config.json</c>. From them follow parameters, memory and work.</summary>
public sealed record ModelShape
{
    /// <summary>Blocks of attention and feed-forward.</summary>
    public required int Layers { get; init; }

    /// <summary>Width of the residual stream (<c>hidden_size</c>).</summary>
    public required int Hidden { get; init; }

    /// <summary>Rows of the embedding, padding included (<c>vocab_size</c>).</summary>
    public required int Vocabulary { get; init; }

    /// <summary>The longest sequence in tokens that the publisher supports without further settings.</summary>
    public required int Context { get; init; }

    /// <summary>True where the output projection is the embedding itself.</summary>
    public bool TiedEmbeddings { get; init; }

    /// <summary>True where there is no projection to the vocabulary: embedding models and cross-encoders.</summary>
    public bool Headless { get; init; }

    /// <summary>Norms of width <see cref="Hidden"/> in each layer; 2 unless the table says otherwise.</summary>
    public int NormsPerLayer { get => field == 0 ? 2 : field; init; }

    /// <summary>True for LayerNorm (scale and bias), false for RMSNorm (scale).</summary>
    public bool LayerNorm { get; init; }

    /// <summary>True where norms stand after each part, as in BERT, so that none follows the last layer.</summary>
    public bool PostNorm { get; init; }

    /// <summary>Parameters outside the text transformer, named by <see cref="Other"/>.</summary>
    public long OtherParameters { get; init; }

    public string? Other { get; init; }

    public required AttentionShape Attention { get; init; }

    public required FeedForwardShape FeedForward { get; init; }
}

/// <summary>Which projections of attention have a bias.</summary>
public enum AttentionBias
{
    None,

    /// <summary>Queries, keys and values.</summary>
    Qkv,

    /// <summary>The output projection too.</summary>
    All,
}

/// <summary>How queries and keys are normalised.</summary>
public enum QueryKeyNorm
{
    None,

    /// <summary>One scale of a head's size, shared by the heads.</summary>
    Head,

    /// <summary>One scale over all heads.</summary>
    Full,
}

/// <summary>
/// Attention of a layer. Layers may differ: <see cref="SlidingLayers"/>, <see cref="Global"/> and <see cref="Linear"/> say how.
/// </summary>
public sealed record AttentionShape
{
    /// <summary>Query heads.</summary>
    public required int Heads { get; init; }

    /// <summary>
    /// Heads of keys and values; fewer than <see cref="Heads"/> share them (grouped-query attention, arXiv 2305.13245). 0 with
    /// <see cref="Latent"/>.
    /// </summary>
    public int KvHeads { get; init; }

    /// <summary>Numbers per head; 0 with <see cref="Latent"/>.</summary>
    public int HeadSize { get; init; }

    public AttentionBias Bias { get; init; }

    public QueryKeyNorm QkNorm { get; init; }

    /// <summary>True where the query projection also makes an output gate of the same size.</summary>
    public bool Gate { get; init; }

    /// <summary>True where each head has a learned sink.</summary>
    public bool Sinks { get; init; }

    /// <summary>Layers that see only the last <see cref="Window"/> tokens, or the current chunk of that size.</summary>
    public int SlidingLayers { get; init; }

    /// <summary>Tokens.</summary>
    public int Window { get; init; }

    /// <summary>Layers with full attention whose heads differ from the others'.</summary>
    public GlobalAttention? Global { get; init; }

    public LatentAttention? Latent { get; init; }

    public LinearAttention? Linear { get; init; }
}

/// <param name="KeyIsValue">True where one projection gives keys and values.</param>
public sealed record GlobalAttention(int Layers, int KvHeads, int HeadSize, bool KeyIsValue = false);

/// <summary>
/// Multi-head latent attention (DeepSeek-V2, arXiv 2405.04434, section 2.1): a token's keys and values are cached as one vector of
/// <paramref name="KvRank"/> numbers and one rotary key of <paramref name="RopeSize"/>, whatever the number of heads.
/// </summary>
/// <param name="IndexHeads">Heads of the sparse attention's indexer, 0 where there is none (DeepSeek-V3.2, arXiv 2512.02556).</param>
/// <param name="IndexSize">Numbers of an index key, which is cached per token too.</param>
/// <param name="QueryRank">Null where queries are projected directly.</param>
public sealed record LatentAttention(
    int KvRank, int NopeSize, int RopeSize, int ValueSize, int? QueryRank = null, int IndexHeads = 0, int IndexSize = 0);

/// <summary>
/// Layers with gated linear attention (Gated DeltaNet, arXiv 2412.06464) in the place of softmax attention: a state of fixed size per
/// sequence instead of keys and values per token.
/// </summary>
/// <param name="Kernel">Length of the short convolution before it.</param>
public sealed record LinearAttention(int Layers, int KeyHeads, int ValueHeads, int KeySize, int ValueSize, int Kernel);

/// <summary>The feed-forward part of a layer: dense, or a mixture of experts.</summary>
public sealed record FeedForwardShape
{
    /// <summary>Width of a dense layer; 0 where every layer has experts alone.</summary>
    public int Intermediate { get; init; }

    /// <summary>True for two matrices (up, down) instead of three (gate, up, down).</summary>
    public bool Ungated { get; init; }

    public bool Bias { get; init; }

    /// <summary>With experts: layers that have none.</summary>
    public int DenseLayers { get; init; }

    /// <summary>With experts: true where a layer has a dense part of width <see cref="Intermediate"/> beside them.</summary>
    public bool DenseBesideExperts { get; init; }

    public ExpertShape? Experts { get; init; }
}

/// <param name="Count">Routed experts of a layer.</param>
/// <param name="Active">Of them, used per token.</param>
/// <param name="Intermediate">Width of one.</param>
/// <param name="Shared">Experts of the same width that every token uses.</param>
/// <param name="SharedGate">True where a scalar gate weighs the shared expert.</param>
/// <param name="Bias">True where the experts' matrices have biases.</param>
/// <param name="RouterBias">True where the router has one number more per expert.</param>
public sealed record ExpertShape(
    int Count, int Active, int Intermediate, int Shared = 0, bool SharedGate = false, bool Bias = false, bool RouterBias = false);
