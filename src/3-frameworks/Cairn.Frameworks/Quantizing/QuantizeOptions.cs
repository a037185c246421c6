namespace Cairn.Frameworks.Quantizing;

/// <summary>How a model is quantised.</summary>
public sealed record QuantizeOptions
{
    /// <summary>What weights become.</summary>
    public required QuantizeTarget Target { get; init; }

    /// <summary>
    /// Weights that share a scale, for <see cref="QuantizeTarget.Int8"/> and <see cref="QuantizeTarget.Int4"/>: 16, 32, 64, 128 or 256;
    /// default 32.
    /// </summary>
    public int BlockSize { get; init; } = 32;

    /// <summary>
    /// Bits of the layer that makes the logits, 4 or 8, for <see cref="QuantizeTarget.Int4"/>; default 8: what it rounds goes straight into
    /// the answer.
    /// </summary>
    public int OutputLayerBits { get; init; } = 8;

    /// <summary>
    /// Token embeddings to 8 bits too, for integer targets. Default false: their rows are only looked up, so it wins size and no speed.
    /// </summary>
    public bool Embeddings { get; init; }

    /// <summary>A text file to measure on, UTF-8, of which the first 1 MiB is read; null takes a built-in English text.</summary>
    public string? CalibrationFile { get; init; }

    /// <summary>Replaces what is at the output. Default false: it is refused.</summary>
    public bool Replace { get; init; }

    internal void Validate()
    {
        if (BlockSize is not (16 or 32 or 64 or 128 or 256))
            throw new QuantizeException($"block size {BlockSize}: expected 16, 32, 64, 128 or 256");
        if (OutputLayerBits is not (4 or 8))
            throw new QuantizeException($"output layer bits {OutputLayerBits}: expected 4 or 8");
        if (CalibrationFile is not null && !File.Exists(CalibrationFile))
            throw new QuantizeException($"calibration file {CalibrationFile}: there is no such file");
    }
}

/// <summary>What weights become.</summary>
public enum QuantizeTarget
{
    /// <summary>Weights, activations and caches as halves; what overflows in halves stays in floats.</summary>
    Float16,

    /// <summary>8-bit weights in blocks (MatMulNBits).</summary>
    Int8,

    /// <summary>4-bit weights in blocks (MatMulNBits).</summary>
    Int4,
}

/// <summary>A model cannot be quantised as asked; the message says why and what to do. Nothing was written.</summary>
public sealed class QuantizeException(string message, Exception? inner = null) : Exception(message, inner);
