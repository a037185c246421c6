using Cairn.Contracts.Units;

namespace Cairn.Contracts.Workloads.Reading;

/// <summary>
/// Ranges: <c>8..16</c>, <c>8..</c>, <c>8+</c>, <c>..16</c>; one value alone is the least (<c>8</c> is <c>8..</c>) except where the caller
/// takes it exactly. Both ends of <c>24..80GB</c> have the unit that only the last one bears.
/// </summary>
internal static class Ranges
{
    public delegate bool ParseEnd<T>(ReadOnlySpan<char> text, out T value);

    public static bool TryParse<T>(ReadOnlySpan<char> text, ParseEnd<T> parse, bool exact, out Range<T> range)
        where T : struct, IComparable<T>
    {
        range = default;
        text = text.Trim();
        var dots = text.IndexOf("..");
        if (dots >= 0)
            return TryEnds(text[..dots].Trim(), text[(dots + 2)..].Trim(), parse, out range);
        var atLeast = text.EndsWith("+");
        if (!parse(atLeast ? text[..^1].TrimEnd() : text, out var value))
            return false;
        range = new Range<T>(value, exact && !atLeast ? value : null);
        return true;
    }

    public static bool TrySize(ReadOnlySpan<char> text, bool exact, out Range<long> range)
    {
        var dots = text.IndexOf("..");
        if (dots > 0 && text[(dots + 2)..].Trim() is { IsEmpty: false } upper && ByteSize.HasUnit(upper)
            && !ByteSize.HasUnit(text[..dots].Trim()))
        {
            var unit = upper[upper.IndexOfAnyExcept("0123456789.")..];
            return TryParse($"{text[..dots].Trim()}{unit}..{upper}", ByteSize.TryParse, exact, out range);
        }

        return TryParse(text, ByteSize.TryParse, exact, out range);
    }

    public static bool TryCount(ReadOnlySpan<char> text, bool exact, out Range<double> range) =>
        TryParse<double>(text, TryPlainNumber, exact, out range);

    /// <summary>Both ends with their dots, which reads back as the same range whether a single value is exact or not.</summary>
    public static string Format<T>(Range<T> range, Func<T, string> format) where T : struct, IComparable<T> =>
        (range.Min is { } min ? format(min) : "") + ".." + (range.Max is { } max ? format(max) : "");

    private static bool TryPlainNumber(ReadOnlySpan<char> text, out double number)
    {
        number = 0;
        return !text.IsEmpty && text.IndexOfAnyExcept("0123456789.") < 0 && Numbers.TryParse(text, out number);
    }

    private static bool TryEnds<T>(ReadOnlySpan<char> low, ReadOnlySpan<char> high, ParseEnd<T> parse, out Range<T> range)
        where T : struct, IComparable<T>
    {
        range = default;
        T min = default, max = default;
        if ((low.IsEmpty && high.IsEmpty) || (!low.IsEmpty && !parse(low, out min)) || (!high.IsEmpty && !parse(high, out max)))
            return false;
        if (!low.IsEmpty && !high.IsEmpty && min.CompareTo(max) > 0)
            return false;
        range = new Range<T>(low.IsEmpty ? null : min, high.IsEmpty ? null : max);
        return true;
    }
}
