using System.Diagnostics;
using Cairn.Bench.Figures;
using static Cairn.Bench.Engine.EngineFigures;

namespace Cairn.Bench.Engine;

/// <summary>Times between tokens of four running streams, quiet and while a prompt of 2,000 tokens is prefilled beside them.</summary>
internal static class SmoothLoad
{
    private const int Streams = 4;
    private const int Prompt = 2_000;
    private static readonly TimeSpan s_quiet = TimeSpan.FromSeconds(2);

    public static async Task<bool> RunAsync(string[] args)
    {
        var rounds = Rounds(args, 4);
        await using var engine = await EngineProcess.StartAsync([BenchModels.Large(), "--threads", $"{Threads}", .. args.Skip(1)]);
        using var newcomer = StreamConnection.Open(engine.Address);
        await newcomer.AskAsync(CompletionRequest.Greedy(BenchModels.Prompt(30_000, Prompt), 2));
        var ratios = new List<(double Quiet, double Busy, double First)>();
        for (var round = 1; round <= rounds; round++)
        {
            var now = await MeasureAsync(engine.Address, newcomer, round);
            ratios.Add(now);
            Say($"round {round}: p99 {1000 * now.Quiet:N1} ms quiet, {1000 * now.Busy:N1} ms while the prompt arrives, whose first token came after {now.First:N2} s");
        }

        var ratio = Median(ratios.Select(pair => pair.Busy / pair.Quiet));
        return Row($"time between tokens of {Streams} running streams while a {Prompt:N0}-token prompt arrives", "p99 at most 3× the quiet p99", ratio <= 3,
            $"{ratio:N2}× (p99 {1000 * Median(ratios.Select(p => p.Quiet)):N1} ms quiet, {1000 * Median(ratios.Select(p => p.Busy)):N1} ms meanwhile; the prompt's first token after {Median(ratios.Select(p => p.First)):N1} s)");
    }

    private static async Task<(double Quiet, double Busy, double First)> MeasureAsync(Uri address, StreamConnection newcomer, int round)
    {
        using var leave = new CancellationTokenSource();
        var connections = StreamConnection.Open(address, Streams);
        var heard = Enumerable.Range(0, Streams).Select(_ => new List<long>()).ToArray();
        var running = connections.Select((connection, index) => connection.AskAsync(
            CompletionRequest.Greedy(BenchModels.Prompt(index, 64), 4_000), heard[index], leave.Token)).ToList();
        await Task.Delay(s_quiet / 2);
        var quietFrom = Stopwatch.GetTimestamp();
        await Task.Delay(s_quiet);
        var answer = await newcomer.AskAsync(CompletionRequest.Greedy(BenchModels.Prompt(30_000 + round, Prompt), 2));
        if (running.Find(task => task.IsCompleted) is { } ended)
            throw new InvalidOperationException("a stream ended before the prompt was answered", ended.Exception);
        await leave.CancelAsync();
        foreach (var stream in running)
            await stream.ContinueWith(static task => task.Exception, TaskScheduler.Default);
        foreach (var connection in connections)
            connection.Dispose();
        return (P99(heard, quietFrom, answer.Sent), P99(heard, answer.Sent, answer.Heard[0]), answer.FirstTokenSeconds);
    }

    // Gaps that end within the time.
    private static double P99(List<long>[] heard, long from, long until)
    {
        var gaps = heard.SelectMany(times => times.Zip(times.Skip(1)).Where(pair => pair.Second > from && pair.Second <= until)
            .Select(pair => Stopwatch.GetElapsedTime(pair.First, pair.Second).TotalSeconds)).Order().ToList();
        return gaps.Count >= 100 ? FigureRow.Percentile(gaps, 0.99)
            : throw new InvalidOperationException($"only {gaps.Count} gaps between tokens were heard; 100 are the least for a p99");
    }
}
