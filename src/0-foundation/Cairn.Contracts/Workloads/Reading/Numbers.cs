using System.Globalization;

namespace Cairn.Contracts.Workloads.Reading;

/// <summary>Numbers as workload files write them, the same in every culture.</summary>
internal static class Numbers
{
    /// <summary>A finite number as YAML's core schema writes it.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out double number)
    {
        const NumberStyles style = NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;
        return double.TryParse(text, style, CultureInfo.InvariantCulture, out number) && double.IsFinite(number);
    }

    /// <summary>The shortest text that reads back as the same number.</summary>
    public static string Format(double number) => number.ToString("R", CultureInfo.InvariantCulture);
}
