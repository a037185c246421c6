using Cairn.Frameworks.ModelCatalog;

namespace Cairn.Frameworks.Fitting;

/// <summary>Bytes that a model's weights and its sequences' keys and values take. Pure arithmetic over the shape.</summary>
public static class ModelMemory
{
    /// <summary>All weights, vision towers included, on however many accelerators.</summary>
    public static long WeightBytes(OpenModel model, WeightPrecision precision)
    {
        ArgumentNullException.ThrowIfNull(model);
        var parts = WeightParts.Of(ParameterCount.Of(model.Shape), model.Shape, precision);
        return (long)(parts.Resident + parts.DenseBytes + parts.ExpertBytes);
    }

    /// <summary>
    /// Keys and values of one sequence of <paramref name="tokens"/>, in bytes over all accelerators and without copies:
    /// 2 × layers × heads of keys and values × head size per token (Pope et al. 2022, arXiv 2211.05102, section 3.3, with grouped heads);
    /// with latent attention one vector and one rotary key per token and layer (DeepSeek-V2, arXiv 2405.04434, table 1); layers with a
    /// window keep no more than it; linear layers keep a state of 32-bit floats and a short convolution's last inputs, whatever the length.
    /// </summary>
    /// <param name="shape">The model.</param>
    /// <param name="tokens">0 or more.</param>
    /// <param name="precision">Of keys and values.</param>
    public static long SequenceBytes(ModelShape shape, long tokens, KvPrecision precision) =>
        SequenceBytes(shape, tokens, precision, tensorParallel: 1);

    /// <summary>
    /// As the other, on one of <paramref name="tensorParallel"/> accelerators. Heads are divided; what cannot be divided is held by
    /// each: a head when there are more accelerators than heads, and the latent vector always.
    /// </summary>
    public static long SequenceBytes(ModelShape shape, long tokens, KvPrecision precision, int tensorParallel)
    {
        ArgumentNullException.ThrowIfNull(shape);
        ArgumentOutOfRangeException.ThrowIfNegative(tokens);
        ArgumentOutOfRangeException.ThrowIfLessThan(tensorParallel, 1);
        var form = shape.Attention;
        var bytes = Precisions.BytesPerElement(precision);
        var softmaxLayers = shape.Layers - (form.Linear?.Layers ?? 0);
        var state = form.Linear is { } linear ? linear.Layers * LinearState(linear) / tensorParallel : 0;
        if (form.Latent is { } latent)
            return state + softmaxLayers * tokens * (((long)latent.KvRank + latent.RopeSize) * bytes + latent.IndexSize);

        var kept = Math.Min(tokens, form.Window == 0 ? tokens : form.Window);
        var global = form.Global is { } g ? g.Layers * tokens * PerLayer(g.KvHeads, g.HeadSize, bytes, tensorParallel) : 0;
        var full = softmaxLayers - form.SlidingLayers - (form.Global?.Layers ?? 0);
        return state + global + (full * tokens + form.SlidingLayers * kept) * PerLayer(form.KvHeads, form.HeadSize, bytes, tensorParallel);
    }

    private static long PerLayer(int heads, int size, int bytes, int tensorParallel) =>
        2L * ((heads + tensorParallel - 1) / tensorParallel) * size * bytes;

    private static long LinearState(LinearAttention form)
    {
        var (keys, values) = ((long)form.KeyHeads * form.KeySize, (long)form.ValueHeads * form.ValueSize);
        return 4 * values * form.KeySize + 2 * (2 * keys + values) * (form.Kernel - 1);
    }
}

/// <summary>Weights by how a decode step reads them.</summary>
/// <param name="Resident">Bytes held and not read in a step: the embedding's table where it is no output projection too, and
/// towers.</param>
/// <param name="DenseBytes">Bytes that every step reads.</param>
/// <param name="ExpertBytes">Bytes of routed experts; a step reads those that its tokens chose.</param>
/// <param name="DenseWeights">Parameters that every token multiplies with.</param>
/// <param name="ExpertWeights">Parameters of routed experts that a token multiplies with.</param>
internal sealed record WeightParts(double Resident, double DenseBytes, double ExpertBytes, double DenseWeights, double ExpertWeights)
{
    public static WeightParts Of(ParameterCount count, ModelShape shape, WeightPrecision precision)
    {
        var bits = Precisions.BitsPerWeight(precision);
        var high = Math.Max(bits, 16) / 8;
        var low = bits / 8;
        var expertsAlone = precision is WeightPrecision.Mxfp4 && count.RoutedExperts > 0;
        var head = shape.TiedEmbeddings ? count.Embedding : count.Head;
        var core = (double)(count.Attention + count.DenseFeedForward);
        var rest = (double)(count.Norms + count.Routers);
        return new WeightParts(
            ((shape.TiedEmbeddings ? 0 : count.Embedding) + count.Other) * high,
            (head + rest) * high + core * (expertsAlone ? high : low),
            count.RoutedExperts * low,
            head + core + rest,
            count.ActiveExperts);
    }
}
