using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Cairn.Bench.Figures;
using Cairn.Bench.Gateway;
using static Cairn.Bench.Engine.EngineFigures;

namespace Cairn.Bench.Prefixes;

/// <summary>
/// Groups of requests that share a long system prompt each, as tenants of one assistant do. All groups' prefixes fit into the caches of four engines together, and not
/// into one's. Requests leave at random times (Poisson, the same in both runs) at half the rate that would keep the machine busy if no prefix were cached; timed is from
/// when a request should have left to the first word of its answer. Once the gateway's router chooses the engine, once chance does.
/// </summary>
internal static class PrefixRoutingLoad
{
    private const int SystemTokens = 1_500; // bytes, with the bench's tokenizer
    private const int AnswerTokens = 8;
    private const double CacheShare = 1.5;

    // 2 × 4 layers × 2 heads × 32 values × 4 bytes
    private const int CacheBytesPerToken = 2 << 10;

    /// <summary>Arguments: groups (default 32), seconds of each run (default 25).</summary>
    public static async Task<bool> RunAsync(string[] args)
    {
        var groups = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 32;
        var seconds = args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 25;
        // What all engines hold together is half as much again as all groups need.
        var cacheMiB = (int)Math.Ceiling(CacheShare * groups * (SystemTokens + 100) * CacheBytesPerToken / PrefixRoutingWorld.Engines / (1 << 20));
        double rate;
        List<double> aware, random;
        await using (var world = await PrefixRoutingWorld.StartAsync(cacheMiB))
        {
            var alone = await ColdAsync(world);
            rate = 0.5 * Math.Min(Environment.ProcessorCount, PrefixRoutingWorld.Engines) / alone;
            Say($"{groups} groups, {cacheMiB} MiB of cached prefixes an engine; a prompt alone and uncached {1000 * alone:N0} ms; {rate:N1} requests/s");
            aware = await MeasureAsync(world, groups, rate, seconds, _ => PrefixRoutingWorld.Shared);
        }
        await using (var world = await PrefixRoutingWorld.StartAsync(cacheMiB))
        {
            await ColdAsync(world);
            random = await MeasureAsync(world, groups, rate, seconds, dice => PrefixRoutingWorld.Alone(dice.Next(PrefixRoutingWorld.Engines)));
        }
        Print("prefix-aware", aware);
        Print("random", random);
        var ratio = FigureRow.Percentile(random, 0.9) / FigureRow.Percentile(aware, 0.9);
        return Row($"prefix-aware against random routing, {PrefixRoutingWorld.Engines} engines, {groups} groups that share {SystemTokens} tokens each", "p90 TTFT at least 3× better",
            ratio >= 3, $"{ratio:N1}× (p90 {FigureRow.Percentile(aware, 0.9):N0} against {FigureRow.Percentile(random, 0.9):N0} ms; p50 {FigureRow.Percentile(aware, 0.5):N0} against {FigureRow.Percentile(random, 0.5):N0} ms)");
    }

    private static void Print(string way, List<double> times) =>
        Say($"{way,-12} p50 {FigureRow.Percentile(times, 0.5):N0} ms, p90 {FigureRow.Percentile(times, 0.9):N0} ms, p99 {FigureRow.Percentile(times, 0.99):N0} ms of {times.Count} requests");

    /// <summary>Seconds to the first word of a prompt that nobody has sent before, the median of some, with nothing beside it.</summary>
    private static async Task<double> ColdAsync(PrefixRoutingWorld world)
    {
        var times = new List<double>();
        for (var i = 0; i < 5 * PrefixRoutingWorld.Engines; i++)
            times.Add(await FirstWordAsync(world, PrefixRoutingWorld.Alone(i % PrefixRoutingWorld.Engines), Instructions(-1 - i), "warm", Stopwatch.GetTimestamp()));
        return Median(times[PrefixRoutingWorld.Engines..]) / 1000;
    }

    private static async Task<List<double>> MeasureAsync(PrefixRoutingWorld world, int groups, double rate, int seconds, Func<Random, string> model)
    {
        var dice = new Random(7);
        var (systems, pick) = (Enumerable.Range(0, groups).Select(Instructions).ToArray(), new Random(11));
        // Every group once, not counted: both ways begin with full caches.
        var warm = Enumerable.Range(0, groups).Select(group => (group, After: group / rate));
        await SendAsync(world, [.. warm], systems, () => model(pick));
        var (requests, at) = (new List<(int, double)>(), 0.0);
        while ((at += -Math.Log(1 - dice.NextDouble()) / rate) < seconds)
            requests.Add((dice.Next(groups), at));
        var times = await SendAsync(world, requests, systems, () => model(pick));
        times.Sort();
        return times;
    }

    private static async Task<List<double>> SendAsync(PrefixRoutingWorld world, List<(int Group, double After)> requests, string[] systems, Func<string> model)
    {
        var began = Stopwatch.GetTimestamp();
        var under = new List<Task<double>>();
        foreach (var (group, after) in requests)
        {
            var due = began + (long)(after * Stopwatch.Frequency);
            if (Stopwatch.GetElapsedTime(Stopwatch.GetTimestamp(), due) is var left && left > TimeSpan.Zero)
                await Task.Delay(left);
            var question = string.Create(CultureInfo.InvariantCulture, $"Question {under.Count}: what now?");
            under.Add(FirstWordAsync(world, model(), systems[group], question, due));
        }
        return [.. await Task.WhenAll(under)];
    }

    /// <returns>Milliseconds since <paramref name="due"/>.</returns>
    private static async Task<double> FirstWordAsync(PrefixRoutingWorld world, string model, string system, string question, long due)
    {
        // Always the byte 'a', whose text is whole.
        var body = $$$"""
            {"model":"{{{model}}}","messages":[{"role":"system","content":{{{JsonSerializer.Serialize(system)}}}},{"role":"user","content":"{{{question}}}"}],"max_tokens":{{{AnswerTokens}}},"temperature":0,"ignore_eos":true,"logit_bias":{"97":100},"stream":true}
            """;
        return (await StreamedChat.FirstWordAsync(world.Http, body, due)).TotalMilliseconds;
    }

    /// <summary>A group's system prompt: words that no other group begins with.</summary>
    private static string Instructions(int group)
    {
        var (dice, text) = (new Random(1_000 + group), new StringBuilder());
        while (text.Length < SystemTokens)
            text.Append((char)('a' + dice.Next(26))).Append(dice.Next(6) == 0 ? " " : "");
        return text.ToString(0, SystemTokens);
    }
}
