using System.Globalization;

namespace Cairn.Contracts.Units;

/// <summary>
/// Durations as people write them: <c>90s</c>, <c>30m</c>, <c>6h</c>, <c>1d12h</c>, <c>1w</c>, <c>1.5h</c>; a bare number is seconds.
/// </summary>
public static class Duration
{
    /// <summary>The longest duration that is read: ten years of 365 days.</summary>
    public const long MaxSeconds = 3650L * 86_400;

    private static readonly (string Name, decimal Seconds)[] s_units =
    [
        ("w", 604_800), ("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1), ("ms", 0.001m),
    ];

    /// <summary>
    /// Reads whole seconds: a finer duration is rounded to the nearest. False for anything else and beyond <see cref="MaxSeconds"/>.
    /// </summary>
    public static bool TryParseSeconds(ReadOnlySpan<char> text, out long seconds)
    {
        var read = TryParse(text, bareUnitSeconds: 1, out var exact);
        seconds = read ? (long)Math.Round(exact, MidpointRounding.AwayFromZero) : 0;
        return read && seconds <= MaxSeconds;
    }

    /// <summary>Reads milliseconds; here a bare number is milliseconds.</summary>
    public static bool TryParseMilliseconds(ReadOnlySpan<char> text, out double milliseconds)
    {
        var read = TryParse(text, bareUnitSeconds: 0.001m, out var exact);
        milliseconds = read ? (double)(exact * 1000) : 0;
        return read;
    }

    /// <summary>The shortest text that <see cref="TryParseSeconds"/> reads back: <c>1d12h</c>.</summary>
    public static string Format(long seconds)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(seconds);
        if (seconds == 0)
            return "0s";
        var text = "";
        foreach (var (name, size) in s_units.AsSpan(1, 4))
        {
            var whole = seconds / (long)size;
            seconds %= (long)size;
            if (whole > 0)
                text += whole.ToString(CultureInfo.InvariantCulture) + name;
        }

        return text;
    }

    /// <summary>Units follow from large to small, each at most once; only the last may have a fraction.</summary>
    private static bool TryParse(ReadOnlySpan<char> text, decimal bareUnitSeconds, out decimal seconds)
    {
        seconds = 0;
        text = text.Trim();
        if (text.Length is 0 or > 64)
            return false;
        var largest = decimal.MaxValue;
        while (!text.IsEmpty)
        {
            var digits = text.IndexOfAnyExcept("0123456789.");
            var number = digits < 0 ? text : text[..digits];
            if (number.Length is 0 or > 15 || number[0] == '.' || number[^1] == '.'
                || !decimal.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value))
                return false;
            text = digits < 0 ? default : text[digits..].TrimStart();
            var letters = text.IndexOfAny("0123456789.");
            var unit = letters < 0 ? text : text[..letters].TrimEnd();
            if (!TryUnit(unit, bareUnitSeconds, first: largest == decimal.MaxValue, out var size) || size >= largest)
                return false;
            if (letters >= 0 && number.Contains('.'))
                return false;
            text = letters < 0 ? default : text[letters..];
            seconds += value * size;
            largest = size;
        }

        return true;
    }

    private static bool TryUnit(ReadOnlySpan<char> unit, decimal bareUnitSeconds, bool first, out decimal size)
    {
        size = bareUnitSeconds;
        if (unit.IsEmpty)
            return first;
        foreach (var (name, seconds) in s_units)
        {
            size = seconds;
            if (unit.Equals(name, StringComparison.OrdinalIgnoreCase))
                return true;
        }

        return false;
    }
}
