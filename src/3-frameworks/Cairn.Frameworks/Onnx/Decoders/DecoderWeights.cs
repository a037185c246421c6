using Cairn.Contracts.Ids;

namespace Cairn.Frameworks.Onnx.Decoders;

/// <summary>
/// Gives a weight by its Hugging Face name, row-major [rows, columns]: a projection has its outputs as rows; a norm is one row.
/// </summary>
internal delegate float[] DecoderWeights(string name, int rows, int columns);

/// <summary>Weights without training.</summary>
internal static class RandomWeights
{
    /// <summary>
    /// Uniform weights that depend only on the seed, the name and the place. Projections have a standard deviation of 1/√inputs, so that
    /// activations keep their size; the output layer 3/√inputs, so that the most likely token stands out.
    /// </summary>
    internal static DecoderWeights Seeded(int seed) => (name, rows, columns) =>
    {
        var values = new float[(long)rows * columns];
        if (rows == 1)
        {
            Fill(values, Hash(name, seed), 0.1f, 1);
            return values;
        }
        var deviation = name == WeightNames.Embedding ? 1f : (name == WeightNames.Output ? 3f : 1f) / MathF.Sqrt(columns);
        var start = Hash(name, seed);
        Parallel.For(0, rows, row =>
            Fill(values.AsSpan(row * columns, columns), start + ((ulong)row * 0x9E3779B97F4A7C15), deviation, 0));
        return values;
    };

    /// <summary>SplitMix64 (Steele, Lea, Flood 2014): one step per value.</summary>
    private static void Fill(Span<float> values, ulong state, float deviation, float mean)
    {
        var width = deviation * 2 * MathF.Sqrt(3);
        foreach (ref var value in values)
        {
            state += 0x9E3779B97F4A7C15;
            var z = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9;
            z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
            z ^= z >> 31;
            value = mean + (((z >> 40) * (1f / (1 << 24)) - 0.5f) * width);
        }
    }

    private static ulong Hash(string name, int seed) => (Fnv.Hash64(name) ^ (uint)seed) * Fnv.Prime64;
}

/// <summary>Hugging Face's names of a Llama's weights.</summary>
internal static class WeightNames
{
    internal const string Embedding = "model.embed_tokens.weight";
    internal const string FinalNorm = "model.norm.weight";
    internal const string Output = "lm_head.weight";

    internal static string Layer(int layer, string part) => $"model.layers.{layer}.{part}.weight";
}
