using Cairn.Frameworks.Tokenizing.Patterns;
using CsCheck;

namespace Cairn.Frameworks.Tests.Tokenizing;

/// <summary>Texts with what trips tokenizers up.</summary>
internal static class Texts
{
    private static readonly string[] Scraps =
    [
        " ", "  ", "     ", "\n", "\r\n", "\n\n", "\t", " \n ", "a", "the", " the", "The", "dog", "don't", "'S", "'re", "it's", "12345",
            "3.14", "€", "ß", "é", "e\u0301", "ﬁ", "Å",
        "İ", "ſ", "中文", "文本", "日本語", "テスト", "ﾃｽﾄ", "한국어", "\u1112\u1161\u11AB", "שלום", "مرحبا", "\u202Eabc\u202C", "Привет", "Ζεύς",
            "नमस्ते", "👍", "👍🏽", "👩‍👩‍👧‍👦", "🇩🇪", "𝐀𝐁", "𐐀",
        "𠮷", "\u0000", "\u0007", "\u007F", "\u0085", "\u00A0", "\u00AD", "\u200B", "\u200D", "\u2028", "\u3000", "\uFEFF", "\uFFFD", "<s>",
            "</s>", "<|end|>", "<tool>", "<s", "|>",
        "<0x41>", "▁", "▁▁", "##", "Ġ", "Ċ", "!", "?!", "...", "_", "-", "(a)", "{\"k\": [1, 2]}", "http://x.y/z?q=1", "Straße",
            "x\u0323\u0307", "½", "²", "Ⅷ", "٣", "１２", "~", "～",
    ];

    /// <summary>Blocks that have not changed since the Unicode versions of the libraries that the tests compare with.</summary>
    private static readonly (int Low, int High)[] Blocks =
    [
        (0x20, 0x2FF), (0x300, 0x36F), (0x370, 0x377), (0x3A3, 0x52F), (0x5D0, 0x5EA), (0x620, 0x66F), (0x905, 0x939), (0xE01, 0xE3A),
            (0x1E00, 0x1EFF),
        (0x2000, 0x2064), (0x2100, 0x218B), (0x2190, 0x23FF), (0x2460, 0x24FF), (0x3041, 0x3096), (0x3131, 0x318E), (0x3300, 0x33FF),
            (0x4E00, 0x5E00),
        (0xAC00, 0xD7A3), (0xF900, 0xFA6D), (0xFF01, 0xFF9F), (0x10330, 0x1034A), (0x1D400, 0x1D454), (0x1F300, 0x1F5FF),
    ];

    public static Gen<string> Any { get; } = Gen.Frequency(
        (6, Gen.Int[0, Scraps.Length - 1].Select(i => Scraps[i])),
        (1, Gen.Char['a', 'z'].Array[1, 8].Select(letters => new string(letters))),
        (1, Gen.Int[0, Blocks.Sum(block => block.High - block.Low + 1) - 1].Select(Character)))
        .Array[0, 24].Select(string.Concat);

    private static string Character(int index)
    {
        foreach (var (low, high) in Blocks)
        {
            if (index <= high - low) return char.ConvertFromUtf32(low + index);
            index -= high - low + 1;
        }
        throw new ArgumentOutOfRangeException(nameof(index));
    }

    public static List<string> Matches(string pattern, string text)
    {
        var found = new List<string>();
        var search = Pattern.Parse(pattern).In(text);
        while (search.Next(out var start, out var end)) found.Add(text[start..end]);
        return found;
    }
}
