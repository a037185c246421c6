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

    /// <summary>
    /// Microseconds of processor time to make a file where temporary ones lie. Usually about 20; some file systems take fifty times as long for minutes after
    /// many files were deleted, and what makes files is then measured with that.
    /// </summary>
    public static double FileCreationMicros()
    {
        const int files = 200;
        var folder = Directory.CreateTempSubdirectory("cairn-bench-").FullName;
        try
        {
            var before = Environment.CpuUsage.TotalTime;
            for (var i = 0; i < files; i++)
                File.OpenHandle(Path.Combine(folder, i.ToString(CultureInfo.InvariantCulture)), FileMode.CreateNew, FileAccess.Write).Dispose();
            return (Environment.CpuUsage.TotalTime - before).TotalMicroseconds / files;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

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
