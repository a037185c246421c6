using Cairn.Contracts.Units;
using Cairn.Fleet.Catalog.Csv;

namespace Cairn.Fleet.Catalog.SkyPilot;

/// <summary>
/// One row of <c>vms.csv</c>. Which columns there are and in what order differs by provider; an empty field and <c>nan</c> are absent.
/// </summary>
internal sealed record SkyPilotRow(
    int Line, string InstanceType, string Accelerator, decimal Count, string GpuInfo, double Cpus, decimal MemoryGiB,
    HourlyPrice? Price, HourlyPrice? Spot, string Region, string Zone, string Architecture)
{
    public static readonly IReadOnlyList<string> Columns =
        [
            "InstanceType", "AcceleratorName", "AcceleratorCount", "GpuInfo", "vCPUs", "MemoryGiB", "Price", "SpotPrice", "Region",
            "AvailabilityZone", "Arch",
        ];

    /// <summary>Columns without which nothing can be offered, by their place in <see cref="Columns"/>.</summary>
    public static readonly IReadOnlyList<int> Required = [0, 6, 8];

    /// <returns>Null where a field is bad; its error is recorded.</returns>
    public static SkyPilotRow? Read(CsvRow row)
    {
        var read = new SkyPilotRow(
            row.Line,
            Name(row, 0),
            Name(row, 1),
            Number(row, 2, 100_000) ?? 0,
            row.Text(3),
            (double)(Number(row, 4, 100_000) ?? 0),
            Number(row, 5, 10_000_000) ?? 0,
            Dollars(row, 6),
            Dollars(row, 7),
            Name(row, 8),
            Name(row, 9),
            Name(row, 10));
        if (read.Region.Length == 0)
            row.Error(8, "Region is empty; every row needs one");
        return row.Sound ? read : null;
    }

    /// <summary>A slash parts the words of an offer's id, so it cannot stand within one.</summary>
    private static string Name(CsvRow row, int column)
    {
        var text = row.Text(column);
        if (text.Length > 256)
            row.Error(column, $"{Columns[column]} has {text.Length} characters; at most 256 are read");
        return text.Contains('/', StringComparison.Ordinal) ? text.Replace('/', '_') : text;
    }

    private static decimal? Number(CsvRow row, int column, decimal max) =>
        IsNan(row, column) ? null : row.Number(column, Columns[column], 0, max);

    private static HourlyPrice? Dollars(CsvRow row, int column) =>
        Number(row, column, 1_000_000) is { } usd ? HourlyPrice.FromUsd(usd) : null;

    private static bool IsNan(CsvRow row, int column) => row.Text(column).Equals("nan", StringComparison.OrdinalIgnoreCase);
}
