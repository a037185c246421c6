using System.Diagnostics;
using System.Globalization;
using Cairn.Bench.Figures;
using Cairn.Bench.Servers;

namespace Cairn.Bench.Latency;

/// <summary>
/// How long a person waits between typing <c>cairn run</c> and the first line of the program's output, on a node that is there and has run before: from
/// starting the published command to its first line on stdout. Beside it stands what a command that does nothing takes, and the server's own times.
/// </summary>
internal static class LatencyLoad
{
    private const int WarmUp = 3;
    private const string Workload = "name: echo\nrun: echo hello\n";

    /// <summary>Argument: runs (default 30).</summary>
    public static async Task<bool> RunAsync(string[] args)
    {
        var runs = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 30;
        await using var server = await ServerProcess.StartAsync("up");
        using var api = new ServerApi(server);
        var file = Path.Combine(server.Folder, "echo.yaml");
        await File.WriteAllTextAsync(file, Workload);
        for (var i = 0; i < WarmUp; i++)
            await FirstLineAsync(server, "run", file, "--yes");

        var firstLines = new List<double>();
        var ends = new List<double>();
        var starts = new List<double>();
        var nothing = new List<double>();
        for (var i = 0; i < runs; i++)
        {
            var (first, end) = await FirstLineAsync(server, "run", file, "--yes");
            firstLines.Add(first);
            ends.Add(end);
            nothing.Add((await FirstLineAsync(server, "--version")).First);
        }

        foreach (var job in await api.JobsAsync(runs))
            starts.Add((job.StartedAt! - job.SubmittedAt).Value.TotalMilliseconds);
        var good = Print("first line of the program", firstLines) < 300;
        Print("end of the command", ends);
        Print("  of it: a command that does nothing", nothing);
        Print("  of it: accepted until heard that it runs, by the server's clock", starts);
        FigureRow.Print("`cairn run` of `echo` on a warm node to its first log line", "p50 under 300 ms",
            FigureRow.Text($"p50 {FigureRow.Percentile(firstLines, 0.5):N0} ms, p90 {FigureRow.Percentile(firstLines, 0.9):N0} ms"));
        return good;
    }

    private static double Print(string name, List<double> times)
    {
        times.Sort();
        var p50 = FigureRow.Percentile(times, 0.5);
        Console.WriteLine(FigureRow.Text($"{name}: p50 {p50:N0} ms, p90 {FigureRow.Percentile(times, 0.9):N0} ms, least {times[0]:N0} ms"));
        return p50;
    }

    /// <summary>Milliseconds from the start of the command to its first line on stdout, and to its end.</summary>
    private static async Task<(double First, double End)> FirstLineAsync(ServerProcess server, params string[] command)
    {
        var start = new ProcessStartInfo(CairnProgram.Path, command) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["CAIRN_HOME"] = server.Home;
        var began = Stopwatch.GetTimestamp();
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var line = await process.StandardOutput.ReadLineAsync();
        var first = Stopwatch.GetElapsedTime(began).TotalMilliseconds;
        await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        var end = Stopwatch.GetElapsedTime(began).TotalMilliseconds;
        return process.ExitCode == 0 && !string.IsNullOrEmpty(line)
            ? (first, end)
            : throw new InvalidOperationException($"'cairn {string.Join(' ', command)}' ended with {process.ExitCode}: {await errors}");
    }
}
