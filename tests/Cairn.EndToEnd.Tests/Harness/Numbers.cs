using System.Text.Json;

namespace Cairn.EndToEnd.Tests;

/// <summary>The arithmetic of docs/pricing-model.md, done a second time, by decimals instead of integers.</summary>
internal static class Numbers
{
    /// <summary>Micro-dollars of a stretch of time: the floor of price times time.</summary>
    public static decimal CostOf(decimal usdPerHour, double seconds) =>
        Math.Floor(usdPerHour * 1_000_000m * Micros(seconds) / 3_600_000_000m) / 1_000_000m;

    /// <summary>All seconds that a job was billed, over its attempts and ranks.</summary>
    public static double BilledSeconds(this JsonElement job) => job.Tasks().Sum(task => task.GetProperty("billed_seconds").GetDouble());

    public static List<JsonElement> Attempts(this JsonElement job) => [.. job.GetProperty("attempts").EnumerateArray()];

    public static List<JsonElement> Tasks(this JsonElement job) =>
        [.. job.Attempts().SelectMany(attempt => attempt.GetProperty("tasks").EnumerateArray())];

    public static decimal Decimal(this JsonElement element, string property) => element.GetProperty(property).GetDecimal();

    public static string Text(this JsonElement element, string property) => element.GetProperty(property).GetString()!;

    public static List<JsonElement> List(this JsonElement element, string property) => [.. element.GetProperty(property).EnumerateArray()];

    // The API writes whole microseconds as seconds.
    private static decimal Micros(double seconds) => Math.Round((decimal)seconds * 1_000_000m);
}
