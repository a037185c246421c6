namespace Cairn.Frameworks.Onnx.Decoders;

/// <summary>The sizes of a Llama-like decoder.</summary>
internal sealed record DecoderShape
{
    internal required int Vocabulary { get; init; }
    internal required int Hidden { get; init; }
    internal required int Layers { get; init; }
    internal required int Heads { get; init; }
    internal required int KeyValueHeads { get; init; }

    /// <summary>Even. A multiple of 8 is what attention kernels are written for.</summary>
    internal required int HeadSize { get; init; }
    internal required int Intermediate { get; init; }
    internal required int Context { get; init; }
    internal float RopeTheta { get; init; } = 10_000;
    internal float NormEpsilon { get; init; } = 1e-5f;

    /// <summary>The embedding is the output layer's weight too.</summary>
    internal bool TiedEmbeddings { get; init; }

    /// <summary>
    /// Fused as onnxruntime-genai's model builder does: queries, keys and values are one projection, and a sum is part of the norm behind
    /// it. For its layout only; the same numbers from fewer operators.
    /// </summary>
    internal bool Fused { get; init; }

    internal int QueryWidth => Heads * HeadSize;
    internal int KeyValueWidth => KeyValueHeads * HeadSize;

    /// <summary>Small enough for any test: 2 layers, grouped heads, 260 tokens.</summary>
    internal static DecoderShape Tiny { get; } = new()
    {
        Vocabulary = 260, Hidden = 64, Layers = 2, Heads = 4, KeyValueHeads = 2, HeadSize = 16, Intermediate = 128, Context = 256,
    };

    /// <summary>The benchmark's: 124.7 million parameters.</summary>
    internal static DecoderShape Bench { get; } = new()
    {
        Vocabulary = 32_000, Hidden = 768, Layers = 12, Heads = 12, KeyValueHeads = 4, HeadSize = 64, Intermediate = 2048, Context = 4096,
    };
}

/// <summary>Whose exports a graph is like.</summary>
internal enum DecoderLayout
{
    /// <summary>onnxruntime-genai's model builder: GroupQueryAttention, rotation inside it, no position ids.</summary>
    Genai,

    /// <summary>onnx-community's: position ids, rotation and attention in plain ONNX, keys and values concatenated.</summary>
    Community,
}

/// <summary>How weights are stored and computed with.</summary>
internal enum DecoderPrecision
{
    Float32,

    /// <summary>
    /// Weights, activations, keys and values are halves. Logits are halves too in the genai layout, floats in the community one.
    /// </summary>
    Float16,

    /// <summary>MatMulNBits, 8 bits.</summary>
    Int8,

    /// <summary>MatMulNBits, 4 bits.</summary>
    Int4,
}
