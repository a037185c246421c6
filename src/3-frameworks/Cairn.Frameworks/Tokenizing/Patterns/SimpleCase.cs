using System.Text;

namespace Cairn.Frameworks.Tokenizing.Patterns;

/// <summary>Characters that differ only by case, by Unicode's simple folding.</summary>
internal static class SimpleCase
{
    private const int LargestRange = 4096;

    /// <summary>Those that neither lower nor upper casing of one leads to from the other.</summary>
    private static readonly (int One, int Other)[] Odd =
    [
        ('s', 0x17F), ('S', 0x17F), ('k', 0x212A), ('K', 0x212A), (0xE5, 0x212B), (0xC5, 0x212B), (0x3C9, 0x2126), (0x3A9, 0x2126),
        (0xB5, 0x3BC), (0xB5, 0x39C), (0xDF, 0x1E9E), (0x3C2, 0x3C3), (0x3C2, 0x3A3),
    ];

    public static void AddVariants(CodePointSet set, int low, int high)
    {
        if (high - low > LargestRange) return;
        for (var c = low; c <= high; c++)
        {
            if (!Rune.IsValid(c)) continue;
            var (lower, upper) = (Rune.ToLowerInvariant(new Rune(c)).Value, Rune.ToUpperInvariant(new Rune(c)).Value);
            if (lower != c) set.Add(lower, lower);
            if (upper != c) set.Add(upper, upper);
        }
        foreach (var (one, other) in Odd)
        {
            if (one >= low && one <= high) set.Add(other, other);
            if (other >= low && other <= high) set.Add(one, one);
        }
    }
}
