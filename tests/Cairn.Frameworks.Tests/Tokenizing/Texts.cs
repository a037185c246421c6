using Cairn.Frameworks.Tokenizing.Patterns;
using CsCheck;

namespace Cairn.Frameworks.Tests.Tokenizing;

/// <summary>Texts with what trips tokenizers up.</summary>
internal static class Texts
{
    private static readonly string[] Scraps =
    [
        " ", "  ", "     ", "\n", "\r\n", "\n\n", "\t", " \n ", "a", "the", " the", "The", "dog", "don't", "'S", "'re", "it's", "12345", "3.14", "€", "ß", "é", "e\u0301", "ﬁ", "Å",
        "İ", "ſ", "中文", "文本", "日本語", "テスト", "ﾃｽﾄ", "한국어", "\u1112\u1161\u11AB", "שלום", "مرحبا", "\u202Eabc\u202C", "Привет", "Ζεύς", "नमस्ते", "👍", "👍🏽", "👩‍👩‍👧‍👦", "🇩🇪", "𝐀𝐁", "𐐀",
        "𠮷", "\u0000", "\u0007", "\u007F", "\u0085", "\u00A0", "\u00AD", "\u200B", "\u200D", "\u2028", "\u3000", "\uFEFF", "\uFFFD", "<s>", "</s>", "<|end|>", "<tool>", "<s", "|>",
        "<0x41>", "▁", "▁▁", "##", "Ġ", "Ċ", "!", "?!", "...", "_", "-", "(a)", "{\"k\": [1, 2]}", "http://x.y/z?q=1", "Straße", "x\u0323\u0307", "½", "²", "Ⅷ", "٣", "１２", "~", "～",
    ];

    public static Gen<string> Any { get; } = Gen.Frequency(
        (6, Gen.Int[0, Scraps.Length - 1].Select(i => Scraps[i])),
        (1, Gen.Char['a', 'z'].Array[1, 8].Select(letters => new string(letters))),
        (1, Gen.Int[0x20, 0x1FFFF].Where(c => c is < 0xD800 or > 0xDFFF).Select(char.ConvertFromUtf32)))
        .Array[0, 24].Select(string.Concat);

    public static List<string> Matches(string pattern, string text)
    {
        var found = new List<string>();
        var search = Pattern.Parse(pattern).In(text);
        while (search.Next(out var start, out var end)) found.Add(text[start..end]);
        return found;
    }
}
