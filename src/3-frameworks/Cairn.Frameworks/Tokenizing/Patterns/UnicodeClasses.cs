using System.Globalization;
using static System.Globalization.UnicodeCategory;

namespace Cairn.Frameworks.Tokenizing.Patterns;

/// <summary>The named classes of characters, as Oniguruma defines them for Unicode text.</summary>
internal static class UnicodeClasses
{
    private static readonly UnicodeCategory[] Letters = [UppercaseLetter, LowercaseLetter, TitlecaseLetter, ModifierLetter, OtherLetter];
    private static readonly UnicodeCategory[] Marks = [NonSpacingMark, SpacingCombiningMark, EnclosingMark];
    private static readonly UnicodeCategory[] Punctuations =
    [
        ConnectorPunctuation, DashPunctuation, OpenPunctuation, ClosePunctuation, InitialQuotePunctuation, FinalQuotePunctuation,
            OtherPunctuation,
    ];

    private static readonly Dictionary<string, UnicodeCategory[]> Categories = new(StringComparer.OrdinalIgnoreCase)
    {
        ["L"] = Letters, ["Letter"] = Letters,
        ["LC"] = [UppercaseLetter, LowercaseLetter, TitlecaseLetter],
        ["Lu"] = [UppercaseLetter], ["UppercaseLetter"] = [UppercaseLetter],
        ["Ll"] = [LowercaseLetter], ["LowercaseLetter"] = [LowercaseLetter],
        ["Lt"] = [TitlecaseLetter], ["TitlecaseLetter"] = [TitlecaseLetter],
        ["Lm"] = [ModifierLetter], ["ModifierLetter"] = [ModifierLetter],
        ["Lo"] = [OtherLetter], ["OtherLetter"] = [OtherLetter],
        ["M"] = Marks, ["Mark"] = Marks,
        ["Mn"] = [NonSpacingMark], ["NonspacingMark"] = [NonSpacingMark],
        ["Mc"] = [SpacingCombiningMark], ["SpacingMark"] = [SpacingCombiningMark],
        ["Me"] = [EnclosingMark], ["EnclosingMark"] = [EnclosingMark],
        ["N"] = [DecimalDigitNumber, LetterNumber, OtherNumber], ["Number"] = [DecimalDigitNumber, LetterNumber, OtherNumber],
        ["Nd"] = [DecimalDigitNumber], ["DecimalNumber"] = [DecimalDigitNumber],
        ["Nl"] = [LetterNumber], ["LetterNumber"] = [LetterNumber],
        ["No"] = [OtherNumber], ["OtherNumber"] = [OtherNumber],
        ["P"] = Punctuations, ["Punctuation"] = Punctuations,
        ["Pc"] = [ConnectorPunctuation], ["ConnectorPunctuation"] = [ConnectorPunctuation],
        ["Pd"] = [DashPunctuation], ["DashPunctuation"] = [DashPunctuation],
        ["Ps"] = [OpenPunctuation], ["OpenPunctuation"] = [OpenPunctuation],
        ["Pe"] = [ClosePunctuation], ["ClosePunctuation"] = [ClosePunctuation],
        ["Pi"] = [InitialQuotePunctuation], ["InitialPunctuation"] = [InitialQuotePunctuation],
        ["Pf"] = [FinalQuotePunctuation], ["FinalPunctuation"] = [FinalQuotePunctuation],
        ["Po"] = [OtherPunctuation], ["OtherPunctuation"] = [OtherPunctuation],
        ["S"] = [MathSymbol, CurrencySymbol, ModifierSymbol, OtherSymbol],
            ["Symbol"] = [MathSymbol, CurrencySymbol, ModifierSymbol, OtherSymbol],
        ["Sm"] = [MathSymbol], ["MathSymbol"] = [MathSymbol],
        ["Sc"] = [CurrencySymbol], ["CurrencySymbol"] = [CurrencySymbol],
        ["Sk"] = [ModifierSymbol], ["ModifierSymbol"] = [ModifierSymbol],
        ["So"] = [OtherSymbol], ["OtherSymbol"] = [OtherSymbol],
        ["Z"] = [SpaceSeparator, LineSeparator, ParagraphSeparator], ["Separator"] = [SpaceSeparator, LineSeparator, ParagraphSeparator],
        ["Zs"] = [SpaceSeparator], ["SpaceSeparator"] = [SpaceSeparator],
        ["Zl"] = [LineSeparator], ["LineSeparator"] = [LineSeparator],
        ["Zp"] = [ParagraphSeparator], ["ParagraphSeparator"] = [ParagraphSeparator],
        ["C"] = [Control, Format, Surrogate, PrivateUse, OtherNotAssigned],
            ["Other"] = [Control, Format, Surrogate, PrivateUse, OtherNotAssigned],
        ["Cc"] = [Control], ["Control"] = [Control], ["Cntrl"] = [Control],
        ["Cf"] = [Format], ["Format"] = [Format],
        ["Cs"] = [Surrogate], ["Surrogate"] = [Surrogate],
        ["Co"] = [PrivateUse], ["PrivateUse"] = [PrivateUse],
        ["Cn"] = [OtherNotAssigned], ["Unassigned"] = [OtherNotAssigned],
        ["Digit"] = [DecimalDigitNumber],
    };

    /// <summary>Unicode 16, Scripts.txt. Published pre-tokenizers name these scripts and no others.</summary>
    private static readonly Dictionary<string, (int, int)[]> Scripts = new(StringComparer.OrdinalIgnoreCase)
    {
        ["Han"] =
        [
            (0x2E80, 0x2E99), (0x2E9B, 0x2EF3), (0x2F00, 0x2FD5), (0x3005, 0x3005), (0x3007, 0x3007), (0x3021, 0x3029), (0x3038, 0x303B),
            (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFA6D), (0xFA70, 0xFAD9), (0x16FE2, 0x16FE3), (0x16FF0, 0x16FF1),
            (0x20000, 0x2A6DF), (0x2A700, 0x2B739), (0x2B740, 0x2B81D), (0x2B820, 0x2CEA1), (0x2CEB0, 0x2EBE0), (0x2EBF0, 0x2EE5D),
            (0x2F800, 0x2FA1D), (0x30000, 0x3134A), (0x31350, 0x323AF),
        ],
        ["Hiragana"] =
            [(0x3041, 0x3096), (0x309D, 0x309F), (0x1B001, 0x1B11F), (0x1B132, 0x1B132), (0x1B150, 0x1B152), (0x1F200, 0x1F200)],
        ["Katakana"] =
        [
            (0x30A1, 0x30FA), (0x30FD, 0x30FF), (0x31F0, 0x31FF), (0x32D0, 0x32FE), (0x3300, 0x3357), (0xFF66, 0xFF6F), (0xFF71, 0xFF9D),
            (0x1AFF0, 0x1AFF3), (0x1AFF5, 0x1AFFB), (0x1AFFD, 0x1AFFE), (0x1B000, 0x1B000), (0x1B120, 0x1B122), (0x1B155, 0x1B155),
            (0x1B164, 0x1B167),
        ],
        ["Hangul"] =
        [
            (0x1100, 0x11FF), (0x302E, 0x302F), (0x3131, 0x318E), (0x3200, 0x321E), (0x3260, 0x327E), (0xA960, 0xA97C), (0xAC00, 0xD7A3),
            (0xD7B0, 0xD7C6), (0xD7CB, 0xD7FB), (0xFFA0, 0xFFBE), (0xFFC2, 0xFFC7), (0xFFCA, 0xFFCF), (0xFFD2, 0xFFD7), (0xFFDA, 0xFFDC),
        ],
    };

    /// <summary>Unicode's White_Space.</summary>
    public static CodePointSet Space { get; } = CodePointSet
        .Of((9, 13), (0x20, 0x20), (0x85, 0x85), (0xA0, 0xA0), (0x1680, 0x1680), (0x2000, 0x200A), (0x2028, 0x2029), (0x202F, 0x202F),
            (0x205F, 0x205F), (0x3000, 0x3000))
        .Seal();

    public static CodePointSet Digit { get; } = CodePointSet.OfCategories(DecimalDigitNumber).Seal();

    /// <summary>Unicode's Alphabetic beyond letters and marks: letter numbers and the letters in circles and squares.</summary>
    private static CodePointSet Alphabetic => CodePointSet.OfCategories([.. Letters, .. Marks, LetterNumber])
        .Add(0x24B6, 0x24E9).Add(0x1F130, 0x1F149).Add(0x1F150, 0x1F169).Add(0x1F170, 0x1F189);

    /// <summary>Unicode Technical Standard 18's word characters, which Rust's regular expressions use.</summary>
    public static CodePointSet Word { get; } =
        Alphabetic.Add(CodePointSet.OfCategories(DecimalDigitNumber, ConnectorPunctuation)).Add(0x200C, 0x200D).Seal();

    /// <summary>Oniguruma's word characters: those without the joiners, and Latin-1's superscript digits and fractions.</summary>
    public static CodePointSet PatternWord { get; } = Alphabetic.Add(CodePointSet.OfCategories(DecimalDigitNumber, ConnectorPunctuation))
        .Add(0xB2, 0xB3).Add(0xB9, 0xB9).Add(0xBC, 0xBE).Seal();

    /// <summary>Rust's pattern <c>\w+|[^\w\s]+</c>, of the pre-tokenizer Whitespace.</summary>
    public static CodePointSet NeitherWordNorSpace { get; } = new CodePointSet().Add(Word).Add(Space).Negate().Seal();

    public static CodePointSet NonSpacing { get; } = CodePointSet.OfCategories(NonSpacingMark).Seal();

    public static CodePointSet Mark { get; } = CodePointSet.OfCategories(Marks).Seal();

    public static CodePointSet Any { get; } = CodePointSet.Of((0, 0x10FFFF)).Seal();

    public static CodePointSet NotNewline { get; } = CodePointSet.Of((10, 10)).Negate().Seal();

    /// <summary>
    /// A general category by either of its names, a script that pre-tokenizers use, or a POSIX class; null for what is not known.
    /// </summary>
    public static CodePointSet? Named(string name)
    {
        var plain = name.Replace("_", "", StringComparison.Ordinal).Replace(" ", "", StringComparison.Ordinal);
        foreach (var prefix in (ReadOnlySpan<string>)["script=", "sc=", "gc=", "generalcategory="])
        {
            if (plain.StartsWith(prefix, StringComparison.OrdinalIgnoreCase)) plain = plain[prefix.Length..];
        }
        if (Categories.TryGetValue(plain, out var categories)) return CodePointSet.OfCategories(categories);
        if (Scripts.TryGetValue(plain, out var ranges)) return CodePointSet.Of(ranges);
        return plain.ToUpperInvariant() switch
        {
            "ANY" => Any,
            "SPACE" or "WHITESPACE" => Space,
            "WORD" => PatternWord,
            "ALPHA" or "ALPHABETIC" => Alphabetic,
            "ALNUM" => Alphabetic.Add(Digit),
            "UPPER" => CodePointSet.OfCategories(UppercaseLetter),
            "LOWER" => CodePointSet.OfCategories(LowercaseLetter),
            "BLANK" => CodePointSet.OfCategories(SpaceSeparator).Add(9, 9),
            "XDIGIT" => CodePointSet.Of(('0', '9'), ('a', 'f'), ('A', 'F')),
            "PUNCT" => CodePointSet.OfCategories([.. Punctuations, MathSymbol, CurrencySymbol, ModifierSymbol, OtherSymbol]),
            "ASCII" => CodePointSet.Of((0, 127)),
            _ => null,
        };
    }
}
