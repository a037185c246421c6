using System.Numerics.Tensors;

namespace Cairn.Frameworks.Engine.Embedding;

/// <summary>One vector for a text out of its tokens' vectors (Reimers and Gurevych 2019, Sentence-BERT, section 3).</summary>
internal static class Pooling
{
    /// <param name="hidden">Tokens by dimensions, padding behind the text's tokens.</param>
    /// <param name="tokens">How many of them are the text's; at least 1.</param>
    public static float[] Apply(PoolingMode mode, ReadOnlySpan<float> hidden, int tokens, int dimensions)
    {
        switch (mode)
        {
            case PoolingMode.Cls:
                return hidden[..dimensions].ToArray();
            case PoolingMode.Last:
                return hidden.Slice((tokens - 1) * dimensions, dimensions).ToArray();
        }

        var pooled = hidden[..dimensions].ToArray();
        for (var token = 1; token < tokens; token++)
        {
            var row = hidden.Slice(token * dimensions, dimensions);
            if (mode == PoolingMode.Max)
                TensorPrimitives.Max(pooled, row, pooled);
            else
                TensorPrimitives.Add(pooled, row, pooled);
        }

        if (mode == PoolingMode.Mean)
            TensorPrimitives.Divide(pooled, tokens, pooled);
        return pooled;
    }

    /// <summary>Scales to length one; a zero vector stays as it is.</summary>
    public static void Normalize(Span<float> vector)
    {
        var length = TensorPrimitives.Norm<float>(vector);
        if (length > 0)
            TensorPrimitives.Divide(vector, length, vector);
    }
}
