using System.Globalization;
using Cairn.Contracts.Api;
using Cairn.Contracts.Jobs;
using Spectre.Console;

namespace Cairn.Cli.CommandLine;

/// <summary>How numbers, times and phases read in tables.</summary>
internal static class Words
{
    public static string Bytes(long bytes) => bytes switch
    {
        >= 1_000_000_000_000 => Number(bytes / 1e12) + " TB",
        >= 1_000_000_000 => Number(bytes / 1e9) + " GB",
        >= 1_000_000 => Number(bytes / 1e6) + " MB",
        >= 1_000 => Number(bytes / 1e3) + " kB",
        _ => bytes.ToString(CultureInfo.InvariantCulture) + " B",
    };

    public static string Number(double value) => value.ToString(Math.Abs(value) >= 100 ? "#,##0" : "0.##", CultureInfo.InvariantCulture);

    public static string Duration(TimeSpan time) => time switch
    {
        { TotalSeconds: < 1 } => $"{time.TotalMilliseconds:0} ms",
        { TotalMinutes: < 1 } => string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.#} s"),
        { TotalHours: < 1 } => $"{(int)time.TotalMinutes}m{time.Seconds:00}s",
        { TotalDays: < 1 } => $"{(int)time.TotalHours}h{time.Minutes:00}m",
        _ => $"{(int)time.TotalDays}d{time.Hours:00}h",
    };

    public static string Ago(DateTimeOffset? at, DateTimeOffset now) =>
        at is null ? "–" : Duration(now > at.Value ? now - at.Value : TimeSpan.Zero) + " ago";

    public static string Usd(decimal usd) => Contracts.Units.Money.FromUsd(usd).ToString();

    public static string Phase(JobPhase phase) => phase switch
    {
        JobPhase.Succeeded => "[green]succeeded[/]",
        JobPhase.Failed => "[red]failed[/]",
        JobPhase.Running => "[cyan]running[/]",
        JobPhase.Recovering or JobPhase.Stopping => $"[yellow]{EnumWords.Of(phase)}[/]",
        _ => EnumWords.Of(phase),
    };

    public static string Health(NodeHealth health) => health switch
    {
        NodeHealth.Healthy => "[green]healthy[/]",
        NodeHealth.Unhealthy => "[yellow]unhealthy[/]",
        _ => "[red]lost[/]",
    };

    public static string Escape(string? text) => Markup.Escape(text ?? "");

    /// <summary>Said wherever a device or place is declared and not there.</summary>
    public static string SimulatedMark(bool simulated) => simulated ? " [magenta](simulated)[/]" : "";
}
