using System.Globalization;

namespace Cairn.Frameworks.ChatTemplates.Builtins;

/// <summary>Python rounds the exact value of a float, and ties to the even digit.</summary>
internal static class Rounding
{
    /// <summary>More digits than any tie among floats needs.</summary>
    private const int Exact = 60;

    public static string Fixed(double value, int digits)
    {
        digits = Math.Clamp(digits, 0, 300);
        if (!double.IsFinite(value)) return double.IsNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
        var rounded = value.ToString("F" + digits.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
        var exact = value.ToString("F" + (digits + Exact).ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
        var rest = exact.AsSpan(exact.Length - Exact);
        if (rest[0] != '5' || rest[1..].ContainsAnyExcept('0')) return rounded;
        var down = exact.AsSpan(0, exact.Length - Exact).TrimEnd('.');
        return (down[^1] - '0') % 2 == 0 ? down.ToString() : rounded;
    }

    public static double Round(double value, int digits)
    {
        if (!double.IsFinite(value)) return value;
        if (digits >= 0) return double.Parse(Fixed(value, digits), CultureInfo.InvariantCulture);
        var scale = Math.Pow(10, Math.Min(-digits, 300));
        return Math.Round(value / scale, MidpointRounding.ToEven) * scale;
    }
}
