using System.Globalization;
using System.Text;
using Cairn.Frameworks.Tokenizing.Patterns;

namespace Cairn.Frameworks.Tokenizing.Normalizing;

/// <summary>Normalisations that look at one character at a time.</summary>
internal static class Characters
{
    /// <summary>Character by character and not by language; the one lower case that is two characters long is U+0130's.</summary>
    public static string Lower(string text)
    {
        var lower = text.ToLowerInvariant();
        return lower.Contains('İ', StringComparison.Ordinal) ? lower.Replace("İ", "i\u0307", StringComparison.Ordinal) : lower;
    }

    public static string DropAccents(string text) => Map(text, static (rune, _) => !UnicodeClasses.NonSpacing.Contains(rune.Value));

    /// <summary>
    /// As the normalizer StripAccents does: every mark, spacing and enclosing ones too, where BERT's drops only those without a width.
    /// </summary>
    public static string DropMarks(string text) => Map(text, static (rune, _) => Rune.GetUnicodeCategory(rune)
        is not (UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark));

    public static string Strip(string text, bool left, bool right)
    {
        var (start, end) = (0, text.Length);
        while (left && start < end && UnicodeClasses.Space.Contains(text[start])) start++;
        while (right && end > start && UnicodeClasses.Space.Contains(text[end - 1])) end--;
        return text[start..end];
    }

    /// <summary>What SentencePiece's NMT rules drop and what they call a space.</summary>
    public static string Nmt(string text) => Map(text, static (rune, output) =>
    {
        switch (rune.Value)
        {
            case (>= 1 and <= 8) or 0xB or (>= 0xE and <= 0x1F) or 0x7F or 0x8F or 0x9F:
                return false;
            case 9 or 0xA or 0xC or 0xD or 0x1680 or (>= 0x200B and <= 0x200F) or 0x2028 or 0x2029 or 0x2581 or 0xFEFF or 0xFFFD:
                output.Append(' ');
                return false;
            default:
                return true;
        }
    });

    /// <summary>BERT's cleaning: control characters go, white space becomes a space.</summary>
    public static string Clean(string text) => Map(text, static (rune, output) =>
    {
        var white = rune.Value is '\t' or '\n' or '\r';
        if (!white && (rune.Value is 0 or 0xFFFD || CharUnicodeInfo.GetUnicodeCategory(rune.Value) is UnicodeCategory.Control
            or UnicodeCategory.Format
            or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse))
            return false;
        if (!white && !UnicodeClasses.Space.Contains(rune.Value)) return true;
        output.Append(' ');
        return false;
    });

    /// <summary>BERT puts spaces around the ideographs of its CJK blocks.</summary>
    public static string SpaceIdeographs(string text) => Map(text, static (rune, output) =>
    {
        if (rune.Value is not ((>= 0x4E00 and <= 0x9FFF) or (>= 0x3400 and <= 0x4DBF) or (>= 0x20000 and <= 0x2A6DF)
            or (>= 0x2A700 and <= 0x2B73F)
            or (>= 0x2B740 and <= 0x2B81F) or (>= 0x2B820 and <= 0x2CEAF) or (>= 0xF900 and <= 0xFAFF) or (>= 0x2F800 and <= 0x2FA1F)))
            return true;
        output.Append(' ').Append(rune).Append(' ');
        return false;
    });

    /// <param name="text">What is mapped.</param>
    /// <param name="keep">Says whether a character stays; what it appends stands in its place.</param>
    private static string Map(string text, Func<Rune, StringBuilder, bool> keep)
    {
        var output = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            if (keep(rune, output)) output.Append(rune);
        }
        return output.ToString();
    }
}
