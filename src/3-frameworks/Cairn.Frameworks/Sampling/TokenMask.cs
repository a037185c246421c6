using System.Numerics;

namespace Cairn.Frameworks.Sampling;

/// <summary>One bit per token id, lowest first.</summary>
internal static class TokenMask
{
    public static int Words(int tokens) => (tokens + 63) / 64;

    /// <summary>Sets the logits of all other tokens to minus infinity.</summary>
    public static void Apply(ReadOnlySpan<ulong> allowed, Span<float> logits)
    {
        var words = Math.Min(allowed.Length, Words(logits.Length));
        for (var w = 0; w < words; w++)
        {
            var forbidden = ~allowed[w];
            if (forbidden == 0) continue;
            var block = logits[(w * 64)..Math.Min(w * 64 + 64, logits.Length)];
            if (forbidden == ulong.MaxValue) block.Fill(float.NegativeInfinity);
            else
            {
                if (block.Length < 64) forbidden &= (1UL << block.Length) - 1;
                for (; forbidden != 0; forbidden &= forbidden - 1)
                    block[BitOperations.TrailingZeroCount(forbidden)] = float.NegativeInfinity;
            }
        }
        if (words * 64 < logits.Length) logits[(words * 64)..].Fill(float.NegativeInfinity);
    }

    /// <summary>The lowest id; 0 where the mask is empty.</summary>
    public static int First(ReadOnlySpan<ulong> allowed)
    {
        var word = allowed.IndexOfAnyExcept(0UL);
        return word < 0 ? 0 : word * 64 + BitOperations.TrailingZeroCount(allowed[word]);
    }
}
