using System.Numerics.Tensors;

namespace Cairn.Frameworks.Sampling;

/// <summary>Weights proportional to a softmax's probabilities: exp((logit − greatest) / temperature), so none overflows.</summary>
internal readonly struct Softmax(float greatest, float temperature)
{
    /// <summary>Tokens weighed at once. Blocks are summed in double precision, so that a quarter million floats lose nothing.</summary>
    public const int Block = 512;

    public float Greatest => greatest;

    public double Weight(float logit) => Math.Exp((logit - (double)greatest) / temperature);

    /// <summary>The logit of a token with this weight.</summary>
    public float LogitOf(double weight) => (float)(greatest + temperature * Math.Log(weight));

    public double Sum(ReadOnlySpan<float> logits)
    {
        double sum = 0;
        Span<float> weights = stackalloc float[Block];
        for (var start = 0; start < logits.Length; start += Block)
        {
            var block = logits[start..Math.Min(start + Block, logits.Length)];
            Weigh(block, weights);
            sum += TensorPrimitives.Sum<float>(weights[..block.Length]);
        }
        return sum;
    }

    /// <summary>The token at <paramref name="unit"/>, in [0, 1), of the whole weight.</summary>
    public int Draw(ReadOnlySpan<float> logits, double unit)
    {
        var remaining = unit * Sum(logits);
        var last = -1;
        Span<float> weights = stackalloc float[Block];
        for (var start = 0; start < logits.Length; start += Block)
        {
            var block = logits[start..Math.Min(start + Block, logits.Length)];
            Weigh(block, weights);
            double sum = TensorPrimitives.Sum<float>(weights[..block.Length]);
            if (remaining >= sum)
            {
                remaining -= sum;
                if (sum > 0) last = start + weights[..block.Length].LastIndexOfAnyExcept(0f);
                continue;
            }
            for (var i = 0; i < block.Length; i++)
            {
                if (weights[i] == 0) continue;
                last = start + i;
                remaining -= weights[i];
                if (remaining < 0) return last;
            }
        }
        return last; // rounding carried the point past the end
    }

    private void Weigh(ReadOnlySpan<float> logits, Span<float> weights)
    {
        weights = weights[..logits.Length];
        TensorPrimitives.Subtract(logits, greatest, weights);
        if (temperature != 1) TensorPrimitives.Divide(weights, temperature, weights);
        TensorPrimitives.Exp<float>(weights, weights);
    }
}
