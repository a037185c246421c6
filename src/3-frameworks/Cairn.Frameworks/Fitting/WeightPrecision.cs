using Cairn.Frameworks.ModelCatalog;

namespace Cairn.Frameworks.Fitting;

/// <summary>How weights lie in memory. Embedding, output projection and norms stay in 16 bits in every form below that.</summary>
public enum WeightPrecision
{
    /// <summary>32 bits.</summary>
    Fp32,

    /// <summary>16 bits, bfloat16 or half.</summary>
    Bf16,

    /// <summary>8-bit floats; scales per tensor, channel or 128 × 128 block weigh less than 0.03 %.</summary>
    Fp8,

    /// <summary>8-bit integers with a 16-bit scale for 32 of them: 8.5 bits (llama.cpp's Q8_0; per-channel scales take less).</summary>
    Int8,

    /// <summary>4-bit floats with an 8-bit scale for 16 of them: 4.5 bits (NVIDIA's NVFP4).</summary>
    Nvfp4,

    /// <summary>
    /// 4-bit integers with a 16-bit scale for 32 of them: 4.5 bits (llama.cpp's Q4_0; AWQ and GPTQ with groups of 128 take 4.2).
    /// </summary>
    Int4,

    /// <summary>
    /// 4-bit floats with an 8-bit scale for 32 of them: 4.25 bits (OCP Microscaling Formats 1.0). Of a mixture, the routed experts
    /// alone.
    /// </summary>
    Mxfp4,
}

/// <summary>How keys and values lie in memory.</summary>
public enum KvPrecision
{
    /// <summary>16 bits, what engines do unless told otherwise.</summary>
    Bf16,

    /// <summary>8-bit floats.</summary>
    Fp8,
}

/// <summary>Sizes and names of precisions.</summary>
public static class Precisions
{
    public static double BitsPerWeight(WeightPrecision precision) => precision switch
    {
        WeightPrecision.Fp32 => 32,
        WeightPrecision.Bf16 => 16,
        WeightPrecision.Fp8 => 8,
        WeightPrecision.Int8 => 8.5,
        WeightPrecision.Nvfp4 or WeightPrecision.Int4 => 4.5,
        WeightPrecision.Mxfp4 => 4.25,
        _ => throw new ArgumentOutOfRangeException(nameof(precision), precision, "Not a precision."),
    };

    public static int BytesPerElement(KvPrecision precision) => precision is KvPrecision.Fp8 ? 1 : 2;

    /// <summary>
    /// The precisions in which the publisher hands the model out, best (most bits) first. 32-bit files are served in 16 bits, which
    /// engines do by themselves; GGUF stands for its 8-bit and 4-bit files.
    /// </summary>
    public static IReadOnlyList<WeightPrecision> Published(OpenModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return [.. model.Formats.SelectMany(Of).Distinct().Order()];
    }

    private static WeightPrecision[] Of(PublishedFormat format) => format switch
    {
        PublishedFormat.SafetensorsFp32 or PublishedFormat.SafetensorsBf16 or PublishedFormat.SafetensorsFp16 => [WeightPrecision.Bf16],
        PublishedFormat.SafetensorsFp8 => [WeightPrecision.Fp8],
        PublishedFormat.SafetensorsInt4 => [WeightPrecision.Int4],
        PublishedFormat.SafetensorsMxfp4 => [WeightPrecision.Mxfp4],
        PublishedFormat.Gguf => [WeightPrecision.Int8, WeightPrecision.Int4],
        _ => [],
    };
}
