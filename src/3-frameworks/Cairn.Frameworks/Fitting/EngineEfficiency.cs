namespace Cairn.Frameworks.Fitting;

/// <summary>
/// What share of a data sheet's peaks a serving engine reaches, and what it costs beside them. <see cref="Calibrated"/> was set on few
/// measurements and checked against others; docs/models.md lists both with their errors.
/// </summary>
public sealed record EngineEfficiency
{
    public static readonly EngineEfficiency Calibrated = new();

    /// <summary>
    /// Share of the memory bandwidth when weights, keys and values stream. Set on Llama 3.1 8B, FP8, H100 and H200 (TensorRT-LLM 1.0).
    /// </summary>
    public double Memory { get; init; } = 0.85;

    /// <summary>
    /// Share of the 16-bit peak in large matrix products. Set on the first token of Llama 2 7B, FP16, A100 (TensorRT-LLM 0.5).
    /// </summary>
    public double Compute16 { get; init; } = 0.68;

    /// <summary>Share of the 8-bit peak. Set as <see cref="Memory"/>.</summary>
    public double Compute8 { get; init; } = 0.55;

    /// <summary>Share of the 4-bit peak. Set on Llama 3.3 70B and 3.1 405B, NVFP4, B200 (TensorRT-LLM 1.0).</summary>
    public double Compute4 { get; init; } = 0.33;

    /// <summary>Share of the 16-bit peak in attention over a prompt. Set as <see cref="Memory"/>.</summary>
    public double PrefillAttention { get; init; } = 0.6;

    /// <summary>
    /// How much less of the peak the small matrices of experts reach. Set on Qwen3 235B-A22B, FP8, H100 and H200 (TensorRT-LLM 1.0).
    /// </summary>
    public double Experts { get; init; } = 0.25;

    /// <summary>Share of the link's bandwidth in an all-reduce.</summary>
    public double Link { get; init; } = 0.5;

    /// <summary>Seconds of one small all-reduce.</summary>
    public double AllReduceLatency { get; init; } = 10e-6;

    /// <summary>
    /// Seconds per layer and step for what no roofline sees: launches, norms, rotary embedding. Set on vLLM 0.21, Llama 3.1 8B, H100,
    /// one stream.
    /// </summary>
    public double LayerOverhead { get; init; } = 25e-6;

    /// <summary>Seconds per step for scheduling.</summary>
    public double StepOverhead { get; init; } = 300e-6;

    /// <summary>Seconds per sequence and step for sampling and streaming. Set as <see cref="Memory"/>.</summary>
    public double SequenceOverhead { get; init; } = 2e-6;

    /// <summary>Seconds for a message between two machines.</summary>
    public double NetworkLatency { get; init; } = 30e-6;

    /// <summary>
    /// Bytes on each accelerator that the engine's process, its libraries and captured graphs take. Engines measure it at the start;
    /// this is a round figure, set with <see cref="Memory"/>.
    /// </summary>
    public long RuntimeBytes { get; init; } = 2_000_000_000;
}
