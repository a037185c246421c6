using System.Globalization;

namespace Cairn.Contracts.Units;

/// <summary>
/// Sizes as people write them. <c>GB</c> is 10⁹ bytes and <c>GiB</c> 2³⁰ (IEC 80000-13), so are the smaller and larger units; letters'
/// case does not matter, <c>64G</c> is <c>64GB</c>, and a number without a unit is in GB.
/// </summary>
public static class ByteSize
{
    public const long Gigabyte = 1_000_000_000;

    public const long Gibibyte = 1L << 30;

    private static readonly (string Name, long Bytes)[] s_units =
    [
        ("PB", 1_000_000_000_000_000), ("TB", 1_000_000_000_000), ("GB", Gigabyte), ("MB", 1_000_000), ("KB", 1_000),
        ("PiB", 1L << 50), ("TiB", 1L << 40), ("GiB", Gibibyte), ("MiB", 1L << 20), ("KiB", 1L << 10),
        ("P", 1_000_000_000_000_000), ("T", 1_000_000_000_000), ("G", Gigabyte), ("M", 1_000_000), ("K", 1_000), ("B", 1),
    ];

    /// <summary>Reads <c>64GB</c>, <c>1.5 TiB</c>, <c>512MB</c>, <c>64</c>; false for anything else, and from 9.2 EB on.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out long bytes)
    {
        bytes = 0;
        text = text.Trim();
        var digits = text.IndexOfAnyExcept("0123456789.");
        var number = digits < 0 ? text : text[..digits];
        var unit = digits < 0 ? default : text[digits..].TrimStart();
        if (!TryUnit(unit, out var factor) || !TryNumber(number, out var value))
            return false;
        if (value > long.MaxValue / factor)
            return false;
        bytes = (long)Math.Round(value * factor, MidpointRounding.AwayFromZero);
        return true;
    }

    /// <summary>True where the text ends in a unit, as <c>24GB</c> does and <c>24</c> does not.</summary>
    public static bool HasUnit(ReadOnlySpan<char> text)
    {
        var digits = text.IndexOfAnyExcept("0123456789.");
        return digits > 0 && TryUnit(text[digits..].TrimStart(), out _);
    }

    /// <summary>The shortest exact text that <see cref="TryParse"/> reads back as the same number of bytes.</summary>
    public static string Format(long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        if (bytes == 0)
            return "0GB";
        foreach (var (name, size) in s_units)
        {
            if (name.Length > 1 && bytes % size == 0)
                return (bytes / size).ToString(CultureInfo.InvariantCulture) + name;
        }

        return bytes.ToString(CultureInfo.InvariantCulture) + "B";
    }

    private static bool TryUnit(ReadOnlySpan<char> unit, out long factor)
    {
        factor = Gigabyte;
        if (unit.IsEmpty)
            return true;
        foreach (var (name, bytes) in s_units)
        {
            factor = bytes;
            if (unit.Equals(name, StringComparison.OrdinalIgnoreCase))
                return true;
        }

        return false;
    }

    private static bool TryNumber(ReadOnlySpan<char> text, out decimal value)
    {
        value = 0;
        return text.Length is > 0 and <= 25 && text[^1] != '.' && text[0] != '.'
            && decimal.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out value);
    }
}
