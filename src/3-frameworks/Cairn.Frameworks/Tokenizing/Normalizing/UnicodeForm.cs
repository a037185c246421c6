using System.Text;

namespace Cairn.Frameworks.Tokenizing.Normalizing;

/// <summary>
/// Unicode's four normalisation forms (Unicode Standard Annex 15), of Node's version of Unicode at the time the table was made (17.0).
/// </summary>
internal sealed class UnicodeForm(bool compose, bool compatible) : Normalizer
{
    private const int SyllableBase = 0xAC00, LeadBase = 0x1100, VowelBase = 0x1161, TailBase = 0x11A7;
    private const int Vowels = 21, Tails = 28, Syllables = 11172, Leads = 19;

    public override string Normalize(string text)
    {
        // Below U+0300 nothing composes; below U+00C0 nothing decomposes canonically, below U+00A0 not at all.
        var unchanged = compatible ? 0xA0 : compose ? 0x300 : 0xC0;
        var first = 0;
        while (first < text.Length && text[first] < unchanged) first++;
        if (first == text.Length) return text;
        var points = Decompose(text);
        if (compose) Compose(points);
        var output = new StringBuilder(text.Length);
        foreach (var point in points) output.Append(new Rune(point));
        return output.ToString();
    }

    private List<int> Decompose(string text)
    {
        var table = NormalizationTable.Instance;
        var points = new List<int>(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            var syllable = rune.Value - SyllableBase;
            if (syllable is >= 0 and < Syllables)
            {
                points.Add(LeadBase + syllable / (Vowels * Tails));
                points.Add(VowelBase + syllable % (Vowels * Tails) / Tails);
                if (syllable % Tails != 0) points.Add(TailBase + syllable % Tails);
            }
            else if (table.DecompositionOf(rune.Value, compatible) is { } parts)
            {
                points.AddRange(parts);
            }
            else
            {
                points.Add(rune.Value);
            }
        }
        Order(points, table);
        return points;
    }

    /// <summary>Marks in a row stand in the order of their classes, those of one class as they came.</summary>
    private static void Order(List<int> points, NormalizationTable table)
    {
        for (var start = 0; start < points.Count;)
        {
            if (table.ClassOf(points[start]) == 0)
            {
                start++;
                continue;
            }
            var end = start + 1;
            while (end < points.Count && table.ClassOf(points[end]) != 0) end++;
            if (end - start > 1)
            {
                var at = start;
                foreach (var point in points.GetRange(start, end - start).OrderBy(table.ClassOf).ToArray()) points[at++] = point;
            }
            start = end;
        }
    }

    private static void Compose(List<int> points)
    {
        var table = NormalizationTable.Instance;
        var (starter, kept, lastClass) = (-1, 0, 0);
        foreach (var point in points.ToArray())
        {
            var itsClass = table.ClassOf(point);
            // A mark is blocked from its starter by one of its own class or above that stands between.
            var adjacent = starter >= 0 && kept == starter + 1;
            if (starter >= 0 && (adjacent || (lastClass != 0 && lastClass < itsClass))
                && Pair(table, points[starter], point) is var composite and >= 0)
            {
                points[starter] = composite;
                continue;
            }
            if (itsClass == 0) starter = kept;
            lastClass = itsClass;
            points[kept++] = point;
        }
        points.RemoveRange(kept, points.Count - kept);
    }

    private static int Pair(NormalizationTable table, int first, int second)
    {
        if (first - LeadBase is >= 0 and < Leads and var lead && second - VowelBase is >= 0 and < Vowels and var vowel)
            return SyllableBase + (lead * Vowels + vowel) * Tails;
        if (first - SyllableBase is >= 0 and < Syllables and var syllable && syllable % Tails == 0
            && second - TailBase is > 0 and < Tails and var tail)
            return SyllableBase + syllable + tail;
        return table.Compose(first, second);
    }
}
