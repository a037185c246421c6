using System.Globalization;
using System.Text;

namespace Cairn.Frameworks.Constraining.Regexes;

/// <summary>A set of Unicode code points, as sorted ranges that do not touch.</summary>
internal sealed class CodeSet
{
    public const int Last = 0x10FFFF;

    public static readonly CodeSet All = new([(0, Last)]);
    public static readonly CodeSet Digit = new([('0', '9')]);
    public static readonly CodeSet Word = new([('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')]);

    /// <summary>ECMAScript's white space and line ends.</summary>
    public static readonly CodeSet Space = new([(9, 13), (0x20, 0x20), (0xA0, 0xA0), (0x1680, 0x1680), (0x2000, 0x200A), (0x2028, 0x2029),
        (0x202F, 0x202F), (0x205F, 0x205F), (0x3000, 0x3000), (0xFEFF, 0xFEFF)]);

    /// <summary>What ECMAScript's dot leaves out.</summary>
    public static readonly CodeSet LineEnd = new([(10, 10), (13, 13), (0x2028, 0x2029)]);

    public CodeSet(IEnumerable<(int Low, int High)> ranges)
    {
        var merged = new List<(int Low, int High)>();
        foreach (var (low, high) in ranges.OrderBy(r => r.Low))
        {
            if (merged.Count > 0 && low <= merged[^1].High + 1) merged[^1] = (merged[^1].Low, Math.Max(merged[^1].High, high));
            else merged.Add((low, high));
        }
        Ranges = merged;
    }

    public IReadOnlyList<(int Low, int High)> Ranges { get; }

    public static CodeSet Of(int point) => new([(point, point)]);

    public CodeSet Negated()
    {
        var ranges = new List<(int, int)>();
        var next = 0;
        foreach (var (low, high) in Ranges)
        {
            if (low > next) ranges.Add((next, low - 1));
            next = high + 1;
        }
        if (next <= Last) ranges.Add((next, Last));
        return new CodeSet(ranges);
    }

    public static CodeSet Union(IEnumerable<CodeSet> sets) => new(sets.SelectMany(s => s.Ranges));

    /// <summary>With the other case of every letter, by Unicode's simple mappings.</summary>
    public CodeSet IgnoringCase()
    {
        var ranges = new List<(int, int)>(Ranges);
        foreach (var (low, high) in Ranges)
        {
            if (high - low > 10_000) continue; // so wide a range is a negation, and has both cases already
            for (var point = low; point <= high; point++)
            {
                if (!Rune.IsValid(point)) continue;
                var rune = new Rune(point);
                ranges.Add((Rune.ToUpperInvariant(rune).Value, Rune.ToUpperInvariant(rune).Value));
                ranges.Add((Rune.ToLowerInvariant(rune).Value, Rune.ToLowerInvariant(rune).Value));
            }
        }
        return new CodeSet(ranges);
    }

    /// <summary>A general category by its short name, <c>L</c> or <c>Lu</c>; null where there is none.</summary>
    public static CodeSet? Category(string name)
    {
        var categories = Enum.GetValues<UnicodeCategory>().Where(c => ShortName(c).StartsWith(name, StringComparison.Ordinal)).ToHashSet();
        if (name.Length is 0 or > 2 || categories.Count == 0) return null;
        var ranges = new List<(int, int)>();
        for (var point = 0; point <= Last; point++)
        {
            if (!Rune.IsValid(point) || !categories.Contains(Rune.GetUnicodeCategory(new Rune(point)))) continue;
            if (ranges.Count > 0 && ranges[^1].Item2 == point - 1) ranges[^1] = (ranges[^1].Item1, point);
            else ranges.Add((point, point));
        }
        return new CodeSet(ranges);
    }

    private static string ShortName(UnicodeCategory category) => "LuLlLtLmLoMnMcMeNdNlNoZsZlZpCcCfCsCoPcPdPsPePiPfPoSmScSkSoCn"
        .Substring(2 * (int)category, 2);
}
