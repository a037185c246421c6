using System.Globalization;
using System.Text;

namespace Cairn.Frameworks.ChatTemplates.Values;

/// <summary>Python's texts are of code points, and its white space and letter case differ from the framework's in places.</summary>
internal static class PythonStrings
{
    private static readonly (string Letter, string Upper)[] LongUppers =
        [("ß", "SS"), ("ﬀ", "FF"), ("ﬁ", "FI"), ("ﬂ", "FL"), ("ﬃ", "FFI"), ("ﬄ", "FFL"), ("ﬅ", "ST"), ("ﬆ", "ST"), ("ŉ", "ʼN")];

    public static bool IsSpace(char c) => char.IsWhiteSpace(c) || c is >= '\x1C' and <= '\x1F';

    public static int Length(string text)
    {
        var count = text.Length;
        for (var i = 0; i + 1 < text.Length; i++)
        {
            if (char.IsSurrogatePair(text[i], text[i + 1])) count--;
        }
        return count;
    }

    /// <summary>The characters, one text each.</summary>
    public static List<object?> Characters(string text)
    {
        if (text.Length > PythonOperators.MostItems) throw new TemplateFault($"a text of more than {PythonOperators.MostItems} characters is taken apart");
        var characters = new List<object?>(text.Length);
        for (var i = 0; i < text.Length;)
        {
            var width = i + 1 < text.Length && char.IsSurrogatePair(text[i], text[i + 1]) ? 2 : 1;
            characters.Add(text.Substring(i, width));
            i += width;
        }
        return characters;
    }

    public static string Strip(string text, string? characters, bool left, bool right)
    {
        var (start, end) = (0, text.Length);
        while (left && start < end && Goes(text[start])) start++;
        while (right && end > start && Goes(text[end - 1])) end--;
        return text[start..end];

        bool Goes(char c) => characters is null ? IsSpace(c) : characters.Contains(c);
    }

    public static string Upper(string text)
    {
        foreach (var (letter, upper) in LongUppers) text = text.Replace(letter, upper, StringComparison.Ordinal);
        return text.ToUpperInvariant();
    }

    public static string Lower(string text)
    {
        var lower = text.ToLowerInvariant().Replace("İ", "i\u0307", StringComparison.Ordinal);
        if (!text.Contains('Σ')) return lower;
        var output = new StringBuilder(lower);
        for (var i = 0; i < text.Length && lower.Length == text.Length; i++)
        {
            // A sigma that ends a word has a form of its own.
            if (text[i] == 'Σ' && i > 0 && char.IsLetter(text[i - 1])
                && (i + 1 == text.Length || !char.IsLetter(text[i + 1]))) output[i] = 'ς';
        }
        return output.ToString();
    }

    public static string Capitalize(string text)
    {
        if (text.Length == 0) return text;
        var width = char.IsHighSurrogate(text[0]) && text.Length > 1 ? 2 : 1;
        var first = text[..width] == "ß" ? "Ss" : Upper(text[..width]);
        return first + Lower(text[width..]);
    }

    /// <summary>Python's <c>str.title</c>: a letter after anything but a letter is upper.</summary>
    public static string Title(string text)
    {
        var output = new StringBuilder(text.Length);
        var inWord = false;
        foreach (var rune in text.EnumerateRunes())
        {
            var one = rune.ToString();
            output.Append(inWord ? Lower(one) : Capitalize(one));
            inWord = Rune.IsLetter(rune);
        }
        return output.ToString();
    }

    public static List<string> SplitLines(string text, bool keepEnds = false)
    {
        var lines = new List<string>();
        var start = 0;
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] is not ('\n' or '\r' or '\v' or '\f' or (>= '\x1C' and <= '\x1E') or '\x85' or '\u2028' or '\u2029')) continue;
            var end = i;
            if (text[i] == '\r' && i + 1 < text.Length && text[i + 1] == '\n') i++;
            lines.Add(text[start..(keepEnds ? i + 1 : end)]);
            start = i + 1;
        }
        if (start < text.Length) lines.Add(text[start..]);
        return lines;
    }

    public static List<object?> Split(string text, string? separator, int most, bool fromRight)
    {
        if (separator is "") throw new TemplateFault("split needs a separator that is not empty");
        if (most < 0) most = int.MaxValue;
        most = Math.Min(most, PythonOperators.MostItems);
        var parts = separator is null ? Words(text, most, fromRight) : Parts(text, separator, most, fromRight);
        return parts.Count <= PythonOperators.MostItems ? [.. parts]
            : throw new TemplateFault($"a list is longer than {PythonOperators.MostItems} items");
    }

    private static IReadOnlyList<string> Parts(string text, string separator, int most, bool fromRight)
    {
        if (!fromRight) return text.Split(separator, most + 1);
        var parts = new List<string>();
        var end = text.Length;
        while (parts.Count < most && end > 0 && text.LastIndexOf(separator, end - 1, StringComparison.Ordinal) is var at and >= 0)
        {
            parts.Insert(0, text[(at + separator.Length)..end]);
            end = at;
        }
        parts.Insert(0, text[..end]);
        return parts;
    }

    private static List<string> Words(string text, int most, bool fromRight)
    {
        var parts = new List<string>();
        if (fromRight)
        {
            for (var end = text.Length; (end = Strip(text[..end], null, false, true).Length) > 0;)
            {
                var start = end;
                while (parts.Count < most && start > 0 && !IsSpace(text[start - 1])) start--;
                if (parts.Count >= most) start = 0;
                parts.Insert(0, parts.Count >= most ? text[..end] : text[start..end]);
                end = start;
            }
            return parts;
        }
        for (var start = 0; start < text.Length;)
        {
            if (IsSpace(text[start]))
            {
                start++;
                continue;
            }
            var end = start;
            while (end < text.Length && (parts.Count >= most || !IsSpace(text[end]))) end++;
            parts.Add(text[start..end]);
            start = end;
        }
        return parts;
    }

    public static string Join(string separator, IReadOnlyList<object?> items)
    {
        var output = new StringBuilder();
        for (var i = 0; i < items.Count; i++)
        {
            if (i > 0) output.Append(separator);
            output.Append(items[i] as string ?? throw new TemplateFault($"join needs texts, not {PythonText.TypeOf(items[i])}"));
            if (output.Length > Running.Budget.MostCharacters) throw new TemplateFault($"a text is longer than {Running.Budget.MostCharacters} characters");
        }
        return output.ToString();
    }

    /// <summary>Each occurrence, or the first ones.</summary>
    public static string Replace(string text, string old, string by, int most)
    {
        if (most == 0 || (old.Length == 0 && by.Length == 0)) return text;
        if (old.Length > 0 && (long)(text.Length / old.Length + 1) * by.Length > Running.Budget.MostCharacters * 4L)
            throw new TemplateFault($"a text is longer than {Running.Budget.MostCharacters} characters");
        if (most < 0 && old.Length > 0) return text.Replace(old, by, StringComparison.Ordinal);
        var output = new StringBuilder();
        var at = 0;
        for (var done = 0; most < 0 || done < most; done++)
        {
            if (output.Length > Running.Budget.MostCharacters) throw new TemplateFault($"a text is longer than {Running.Budget.MostCharacters} characters");
            if (old.Length == 0)
            {
                output.Append(by);
                if (at >= text.Length) return output.ToString();
                var width = char.IsHighSurrogate(text[at]) && at + 1 < text.Length ? 2 : 1;
                output.Append(text, at, width);
                at += width;
                continue;
            }
            var found = text.IndexOf(old, at, StringComparison.Ordinal);
            if (found < 0) break;
            output.Append(text, at, found - at).Append(by);
            at = found + old.Length;
        }
        return output.Append(text, at, text.Length - at).ToString();
    }

    /// <summary>An index among code points, from one among UTF-16 units.</summary>
    public static long Index(string text, int unit) => unit < 0 ? -1 : Length(text[..unit]);

    public static bool All(string text, Func<UnicodeCategory, bool> among) =>
        text.Length > 0 && text.EnumerateRunes().All(rune => among(Rune.GetUnicodeCategory(rune)));
}
