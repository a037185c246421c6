using System.Globalization;
using System.Runtime.InteropServices;

namespace Cairn.Bench.Figures;

/// <summary>What a figure must be read with: the machine, the runtime, and how busy the machine was with other work.</summary>
internal static class MachineFacts
{
    public static string Describe() =>
        $"{Environment.ProcessorCount} cores, {ProcessorModel()}, {RuntimeInformation.FrameworkDescription}, {RuntimeInformation.OSDescription.Trim()}, load average {LoadAverage()}";

    /// <summary>Of the last minute, five and fifteen; above the number of cores, others worked too and every elapsed time measures them as well.</summary>
    public static string LoadAverage() =>
        OperatingSystem.IsLinux() ? string.Join(' ', File.ReadAllText("/proc/loadavg").Split(' ').Take(3)) : "unknown";

    private static string ProcessorModel()
    {
        if (!OperatingSystem.IsLinux())
            return RuntimeInformation.ProcessArchitecture.ToString();
        var line = File.ReadLines("/proc/cpuinfo").FirstOrDefault(l => l.StartsWith("model name", StringComparison.Ordinal));
        return line is null ? RuntimeInformation.ProcessArchitecture.ToString() : line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim();
    }
}

/// <summary>One row of the table of docs/benchmarks.md.</summary>
internal static class FigureRow
{
    public static void Print(string work, string reach, string measured) => Console.WriteLine($"| {work} | {reach} | {measured} |");

    public static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    /// <summary>The value below which the given share lies.</summary>
    public static double Percentile(IReadOnlyList<double> sorted, double share) => sorted[Math.Min(sorted.Count - 1, (int)(sorted.Count * share))];
}
