using Cairn.Frameworks.ModelCatalog;

namespace Cairn.Frameworks.Fitting;

/// <summary>What a step of the engine takes its time for, in seconds.</summary>
/// <param name="Matrices">Matrix products: reading weights or multiplying, whichever takes longer.</param>
/// <param name="ComputeBound">True where multiplying takes longer.</param>
/// <param name="KeysAndValues">Reading keys and values.</param>
/// <param name="Communication">Between accelerators and machines.</param>
/// <param name="Overhead">What neither data sheet shows.</param>
public readonly record struct StepTime(double Matrices, bool ComputeBound, double KeysAndValues, double Communication, double Overhead)
{
    public double Total => Matrices + KeysAndValues + Communication + Overhead;
}

/// <summary>
/// The time of steps by the roofline model (Williams, Waterman and Patterson, CACM 52, 2009): an operation takes as long as its bytes
/// at the memory's bandwidth or its arithmetic at the peak rate, whichever is longer. Operations follow one another, so their times add.
/// </summary>
internal sealed class Roofline
{
    private readonly ModelShape _shape;
    private readonly WeightParts _weights;
    private readonly Layout _layout;
    private readonly ServingMachine _machine;
    private readonly EngineEfficiency _engine;
    private readonly KvPrecision _kv;
    private readonly double _matrixRate;
    private readonly double _attentionRate;
    private readonly double _bandwidth;

    public Roofline(
        OpenModel model, WeightPrecision precision, KvPrecision kv, Layout layout, ServingMachine machine, EngineEfficiency engine)
    {
        (_shape, _kv, _layout, _machine, _engine) = (model.Shape, kv, layout, machine, engine);
        _weights = WeightParts.Of(ParameterCount.Of(model.Shape), model.Shape, precision);
        _matrixRate = Rate(precision, machine.Accelerator, engine) * layout.TensorParallel;
        _attentionRate = (machine.Accelerator.Flops16 ?? 0) * engine.PrefillAttention * layout.TensorParallel;
        _bandwidth = machine.Accelerator.MemoryBandwidth * engine.Memory * layout.TensorParallel;
    }

    /// <summary>
    /// One token for each of <paramref name="sequences"/> sequences that are <paramref name="context"/> tokens long. Work is 2
    /// operations per active parameter and token (Kaplan et al. 2020, arXiv 2001.08361, table 1). With stages, each works on its part
    /// of the sequences while the others work on theirs.
    /// </summary>
    public StepTime Decode(double sequences, double context)
    {
        var together = Math.Max(1, sequences / _layout.Stages);
        var reading = (_weights.DenseBytes + _weights.ExpertBytes * ExpertsTouched(together)) / _bandwidth;
        var multiplying = 2 * together * (_weights.DenseWeights + _weights.ExpertWeights / _engine.Experts) / _matrixRate;
        var keys = Math.Max(
            together * _layout.TensorParallel * KvRead(context) / _bandwidth,
            together * DecodeAttentionOperations(context) / _attentionRate);
        return new StepTime(Math.Max(reading, multiplying), multiplying > reading, keys, Communication(together, latency: true),
            StepOverhead + together * _engine.SequenceOverhead);
    }

    /// <summary>
    /// Reading a prompt of <paramref name="tokens"/>, in seconds: 2 operations per active parameter and token, and 2 × layers × width
    /// of the heads × tokens² for causal attention (Pope et al. 2022, arXiv 2211.05102, section 2), windows and linear layers counted
    /// by what they see.
    /// </summary>
    public double Prefill(double tokens)
    {
        var reading = (_weights.DenseBytes + _weights.ExpertBytes * ExpertsTouched(tokens)) / _bandwidth;
        return Math.Max(PrefillMatrices(tokens), reading) + PrefillRest(tokens) + StepOverhead;
    }

    /// <summary>
    /// Seconds that each of many prompts takes of a busy replica: they share steps with each other and with answers, so none reads the
    /// weights for itself, and each stage reads another one.
    /// </summary>
    public double PrefillInterval(double tokens) => (PrefillMatrices(tokens) + PrefillRest(tokens)) / _layout.Stages;

    private double StepOverhead => _shape.Layers * _engine.LayerOverhead + _engine.StepOverhead;

    private double PrefillMatrices(double tokens)
    {
        var head = _shape.Headless ? 0 : (double)_shape.Vocabulary * _shape.Hidden;
        var experts = _weights.ExpertWeights / _engine.Experts;
        return 2 * (tokens * (_weights.DenseWeights - head + experts) + head) / _matrixRate;
    }

    private double PrefillRest(double tokens) => AttentionOperations(tokens) / _attentionRate + Communication(tokens, latency: false);

    /// <summary>
    /// The share of routed experts that at least one of the tokens chose, when each chooses <c>active</c> of <c>count</c> alike: 1 − (1
    /// − a/n)^tokens.
    /// </summary>
    private double ExpertsTouched(double tokens) =>
        _shape.FeedForward.Experts is { } experts ? 1 - Math.Pow(1 - (double)experts.Active / experts.Count, tokens) : 0;

    private double KvRead(double context)
    {
        var tokens = (long)Math.Ceiling(context);
        return ModelMemory.SequenceBytes(_shape, tokens, _kv, _layout.TensorParallel);
    }

    // Over a latent, every head multiplies with the whole cached vector (DeepSeek-V2, section 2.1.2): much work per byte.
    private double DecodeAttentionOperations(double context)
    {
        var form = _shape.Attention;
        if (form.Latent is not { } latent)
            return 0;
        var softmaxLayers = _shape.Layers - (form.Linear?.Layers ?? 0);
        return 2.0 * softmaxLayers * form.Heads * (2 * latent.KvRank + latent.RopeSize) * context;
    }

    // Two operations for scores and two for values, halved because a token sees only those before it.
    private double AttentionOperations(double tokens)
    {
        var form = _shape.Attention;
        var softmaxLayers = _shape.Layers - (form.Linear?.Layers ?? 0);
        var size = form.Latent is { } latent ? (latent.NopeSize + latent.RopeSize + latent.ValueSize) / 2.0 : form.HeadSize;
        var width = form.Heads * size;
        var window = form.Window == 0 ? tokens : Math.Min(tokens, form.Window);
        var global = form.Global is { } g ? g.Layers * (double)form.Heads * g.HeadSize * tokens * tokens : 0;
        var full = softmaxLayers - form.SlidingLayers - (form.Global?.Layers ?? 0);
        return 2 * (global + width * (full * tokens * tokens + form.SlidingLayers * window * (2 * tokens - window)));
    }

    /// <summary>
    /// Two all-reduces of the residual stream per layer (Shoeybi et al. 2019), each 2 (n − 1) / n of the bytes over the link (ring,
    /// Patarasuk and Yuan 2009), and for each stage one message of it over the network.
    /// </summary>
    private double Communication(double tokens, bool latency)
    {
        var bytes = tokens * _shape.Hidden * 2;
        var n = _layout.TensorParallel;
        var link = (_machine.Accelerator.LinkBandwidth ?? PcieBandwidth) * _engine.Link;
        var reduces = n == 1 ? 0 : 2.0 * _shape.Layers * (2.0 * (n - 1) / n * bytes / link + (latency ? _engine.AllReduceLatency : 0));
        var hops = _layout.Stages == 1 ? 0 : _layout.Stages * (bytes / _machine.NetworkBandwidth + _engine.NetworkLatency);
        return reduces + hops;
    }

    /// <summary>PCI Express 4.0 with 16 lanes, one direction, for cards whose data sheet names no link.</summary>
    private const double PcieBandwidth = 32e9;

    // Weights of 4 or 8 bits are multiplied in that precision where the card can, else they are widened first and save memory alone.
    private static double Rate(WeightPrecision precision, ServingAccelerator card, EngineEfficiency engine)
    {
        var in16 = (card.Flops16 ?? 0) * engine.Compute16;
        var in8 = (precision is WeightPrecision.Int8 ? card.Ops8 : card.Flops8) * engine.Compute8;
        var in4 = card.Flops4 * engine.Compute4;
        return precision switch
        {
            WeightPrecision.Fp32 => in16 / 2,
            WeightPrecision.Fp8 or WeightPrecision.Int8 => Math.Max(in16, in8 ?? 0),
            WeightPrecision.Nvfp4 or WeightPrecision.Mxfp4 => Math.Max(in16, in4 ?? 0),
            _ => in16,
        };
    }
}
