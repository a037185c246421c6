using System.Diagnostics;
using Cairn.Bench.Figures;
using Cairn.Contracts.Identity;
using Cairn.Serving.Gateway.Routing;

namespace Cairn.Bench.Gateway;

/// <summary>
/// The gateway with keys, limits and budgets on: (1) latency it adds under an open-loop load, (2) requests per second at saturation against YARP alone, (3) time to the
/// first event of many streams, (4) memory over many requests with many keys, models and replicas, (5) one routing decision.
/// </summary>
internal static class GatewayLoad
{
    public static async Task<bool> RunAsync(string[] args)
    {
        var million = args.Length > 0 ? int.Parse(args[0], System.Globalization.CultureInfo.InvariantCulture) : 1_000_000;
        await using var world = await GatewayWorld.StartAsync();
        foreach (var to in new[] { world.Upstream, world.Yarp, world.Gateway })
            await SaturateAsync(world, to, 16, TimeSpan.FromSeconds(2));
        Console.WriteLine("| work | reach | measured |");
        Console.WriteLine("|---|---|---|");
        return await LatencyAsync(world) & await SaturationAsync(world) & await StreamsAsync(world) & Decisions() & await MemoryAsync(world, million);
    }

    private static async Task<bool> LatencyAsync(GatewayWorld world)
    {
        var (direct, through) = (new List<double>(), new List<double>());
        for (var round = 0; round < 3; round++)
        {
            direct.AddRange(await OpenLoopAsync(world, world.Upstream, 1000, TimeSpan.FromSeconds(4)));
            through.AddRange(await OpenLoopAsync(world, world.Gateway, 1000, TimeSpan.FromSeconds(4)));
        }
        direct.Sort();
        through.Sort();
        var median = FigureRow.Percentile(through, 0.5) - FigureRow.Percentile(direct, 0.5);
        var tail = FigureRow.Percentile(through, 0.99) - FigureRow.Percentile(direct, 0.99);
        FigureRow.Print("latency added at 1,000 requests/s, open loop, everything on these cores", "p50 < 0.15 ms, p99 < 1 ms", FigureRow.Text(
            $"p50 {median:0.000} ms, p99 {tail:0.00} ms (direct {FigureRow.Percentile(direct, 0.5):0.000} and {FigureRow.Percentile(direct, 0.99):0.00})"));
        return median < 0.15 && tail < 1;
    }

    private static async Task<bool> SaturationAsync(GatewayWorld world)
    {
        var (yarp, gateway) = (new List<double>(), new List<double>());
        for (var round = 0; round < 3; round++)
        {
            yarp.Add(await SaturateAsync(world, world.Yarp, 32, TimeSpan.FromSeconds(3)));
            gateway.Add(await SaturateAsync(world, world.Gateway, 32, TimeSpan.FromSeconds(3)));
        }
        var (bare, ours) = (yarp.Order().ElementAt(1), gateway.Order().ElementAt(1));
        FigureRow.Print("requests/s at saturation against bare YARP, same bodies, same upstream", "≥ 60 %", FigureRow.Text($"{ours:0} against {bare:0}: {ours / bare:P0}"));
        return ours / bare >= 0.6;
    }

    private static async Task<bool> StreamsAsync(GatewayWorld world)
    {
        const int streams = 500;
        var direct = await FirstEventsAsync(world, world.Upstream, streams);
        var through = await FirstEventsAsync(world, world.Gateway, streams);
        var added = FigureRow.Percentile(through.First, 0.99) - FigureRow.Percentile(direct.First, 0.99);
        FigureRow.Print($"{streams} streams of 200 events at once, begun over two seconds: time to first event added", "p99 < 1 ms; none held back", FigureRow.Text(
            $"p99 {added:0.00} ms (direct {FigureRow.Percentile(direct.First, 0.99):0.00}), {through.Events / streams} events each"));
        return added < 1 && through.Events == direct.Events;
    }

    private static bool Decisions()
    {
        var replicas = Enumerable.Range(1, 1000).Select(i => new ReplicaView { Slot = i, Tokens = i % 97 * 10 }).ToArray();
        var (index, options, hashes) = (new PrefixIndex(1 << 18), new RoutingOptions(), new ulong[PrefixHashes.MostBlocks]);
        var prompts = Enumerable.Range(0, 256).Select(i => System.Text.Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat($"prompt {i} ", 400)))).ToArray();
        var (began, before, sum) = (0L, 0L, 0L);
        const int warm = 20_000, measured = 100_000;
        for (var i = 0; i < warm + measured; i++)
        {
            if (i == warm)
                (began, before) = (Stopwatch.GetTimestamp(), GC.GetAllocatedBytesForCurrentThread());
            sum += Decide(replicas, index, options, hashes, prompts[i % prompts.Length], (ulong)i);
        }
        var each = Stopwatch.GetElapsedTime(began).TotalMicroseconds / measured;
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        FigureRow.Print("one routing decision over 1,000 replicas with the prefix index, 4 kB prompts", "< 20 µs, nothing allocated", FigureRow.Text(
            $"{each:0.0} µs, {allocated} bytes in {measured:N0} decisions (checksum {sum % 1000})"));
        return each < 20 && allocated == 0;
    }

    private static int Decide(ReplicaView[] replicas, PrefixIndex index, RoutingOptions options, ulong[] hashes, byte[] prompt, ulong dice)
    {
        var blocks = PrefixHashes.Compute(prompt, 1, hashes);
        Span<PrefixMatch> matches = stackalloc PrefixMatch[4];
        var found = index.Match(hashes.AsSpan(0, blocks), matches);
        var request = new RoutingRequest { PromptTokens = prompt.Length / 4, PromptBlocks = blocks, Matches = matches[..found] };
        var slot = Router.Choose(options, replicas, request, dice).Choice.Slot;
        index.Record(hashes.AsSpan(0, blocks), slot);
        return slot;
    }

    private static async Task<bool> MemoryAsync(GatewayWorld world, int requests)
    {
        var now = DateTimeOffset.UtcNow;
        var keys = Enumerable.Range(0, 10_000).Select(_ => ApiKey.New(now)).ToArray();
        var models = Enumerable.Range(0, 1000).Select(i => ($"tiny{i}", i == 0 ? 1000 : 1)).ToArray();
        world.State.Push(world.Snapshot(2, models, keys));
        var (left, marks) = (requests, new List<double>());
        var clients = Enumerable.Range(0, 32).Select(async client =>
        {
            using var connection = await KeepAlive.ConnectAsync(world.Gateway);
            for (var i = client; Interlocked.Decrement(ref left) is var remaining and >= 0; i += 32)
            {
                await connection.AskAsync(world.Request(world.Gateway, models[i % models.Length].Item1, key: keys[i % keys.Length]));
                if (remaining % (requests / 5) == 0)
                {
                    lock (marks)
                        marks.Add(Environment.WorkingSet / 1e6);
                }
            }
        });
        await Task.WhenAll(clients);
        FigureRow.Print($"{requests:N0} requests with 10,000 keys, 1,000 models, 2,000 replicas: memory of gateway, upstream and load together", "< 300 MB, flat",
            string.Join(", ", marks.Select(m => FigureRow.Text($"{m:0}"))) + " MB");
        return marks[^1] < 300;
    }

    /// <summary>Requests leave at fixed times whether or not earlier ones were answered, and count from when they should have left.</summary>
    private static async Task<List<double>> OpenLoopAsync(GatewayWorld world, Uri to, int perSecond, TimeSpan length)
    {
        const int connections = 32;
        var request = world.Request(to);
        var (began, count, next) = (Stopwatch.GetTimestamp(), (int)(perSecond * length.TotalSeconds), -1);
        var each = (double)Stopwatch.Frequency / perSecond;
        var all = await Task.WhenAll(Enumerable.Range(0, connections).Select(async _ =>
        {
            using var connection = await KeepAlive.ConnectAsync(to);
            var times = new List<double>();
            for (var i = Interlocked.Increment(ref next); i < count; i = Interlocked.Increment(ref next))
            {
                var due = began + (long)(i * each);
                while (Stopwatch.GetTimestamp() is var now && now < due)
                {
                    if (due - now > Stopwatch.Frequency / 500)
                        await Task.Delay(1);
                    else
                        await Task.Yield();
                }
                await connection.AskAsync(request);
                times.Add(Stopwatch.GetElapsedTime(due).TotalMilliseconds);
            }
            return times;
        }));
        return [.. all.SelectMany(t => t)];
    }

    private static async Task<double> SaturateAsync(GatewayWorld world, Uri to, int connections, TimeSpan length)
    {
        var request = world.Request(to);
        var (answered, began) = (0L, Stopwatch.GetTimestamp());
        await Task.WhenAll(Enumerable.Range(0, connections).Select(async _ =>
        {
            using var connection = await KeepAlive.ConnectAsync(to);
            while (Stopwatch.GetElapsedTime(began) < length)
            {
                await connection.AskAsync(request);
                Interlocked.Increment(ref answered);
            }
        }));
        return answered / Stopwatch.GetElapsedTime(began).TotalSeconds;
    }

    private static async Task<(List<double> First, long Events)> FirstEventsAsync(GatewayWorld world, Uri to, int streams)
    {
        var request = world.Request(to, stream: true);
        var all = await Task.WhenAll(Enumerable.Range(0, streams).Select(async i =>
        {
            await Task.Delay(i * 4);
            using var connection = await KeepAlive.ConnectAsync(to);
            return await connection.StreamAsync(request);
        }));
        return ([.. all.Select(a => a.First.TotalMilliseconds).Order()], all.Sum(a => (long)a.Events));
    }
}
