using System.Diagnostics;
using System.Globalization;
using Cairn.Bench.Figures;
using Cairn.Serving.Gateway.Routing;

namespace Cairn.Bench.Gateway;

/// <summary>
/// The gateway with keys, limits and budgets on: latency it adds under an open-loop load, requests per second at saturation against YARP and nginx, time to the first event
/// of many streams, memory over many requests with many keys, models and replicas, one routing decision.
/// </summary>
internal static class GatewayLoad
{
    private static readonly Dictionary<string, Func<string[], bool>> s_loads = new()
    {
        ["gateway-latency"] = _ => InWorld(Latency),
        ["gateway-saturation"] = _ => InWorld(Saturation),
        ["gateway-streams"] = _ => InWorld(StreamsLoad.Run),
        ["gateway-route"] = _ => Decisions(),
        ["gateway-memory"] = args => Memory(args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 1_000_000),
    };

    public static IEnumerable<string> Names => s_loads.Keys;

    /// <summary>Null where the name is none of these.</summary>
    public static Func<string[], bool>? Find(string name) => s_loads.GetValueOrDefault(name);

    private static bool InWorld(Func<GatewayWorld, bool> measure)
    {
        using var world = GatewayWorld.Start();
        world.Warm();
        return measure(world);
    }

    private static bool Latency(GatewayWorld world)
    {
        var others = new[] { ("YARP", world.Yarp), ("nginx", world.Nginx) };
        var (direct, through, beside) = (new List<double>(), new List<double>(), others.Select(_ => new List<double>()).ToArray());
        for (var round = 0; round < 3; round++)
        {
            direct.AddRange(OpenLoop.Run(world.Upstream.Address, 1000, TimeSpan.FromSeconds(3)));
            through.AddRange(OpenLoop.Run(world.Gateway.Address, 1000, TimeSpan.FromSeconds(3)));
            for (var i = 0; i < others.Length; i++)
            {
                if (others[i].Item2 is { } other)
                    beside[i].AddRange(OpenLoop.Run(other.Address, 1000, TimeSpan.FromSeconds(3)));
            }
        }
        direct.Sort();
        through.Sort();
        double Added(List<double> times, double share) => FigureRow.Percentile(times, share) - FigureRow.Percentile(direct, share);
        for (var i = 0; i < others.Length; i++)
        {
            beside[i].Sort();
            if (beside[i].Count > 0)
                Console.WriteLine(FigureRow.Text($"{others[i].Item1} adds p50 {Added(beside[i], 0.5):0.000} ms, p99 {Added(beside[i], 0.99):0.00} ms"));
        }
        FigureRow.Print("latency added at 1,000 requests/s, open loop, everything on these cores", "p50 < 0.15 ms, p99 < 1 ms", FigureRow.Text(
            $"p50 {Added(through, 0.5):0.000} ms, p99 {Added(through, 0.99):0.00} ms (direct {FigureRow.Percentile(direct, 0.5):0.000} and {FigureRow.Percentile(direct, 0.99):0.00})"));
        return Added(through, 0.5) < 0.15 && Added(through, 0.99) < 1;
    }

    private static bool Saturation(GatewayWorld world)
    {
        var parts = new[] { world.Gateway, world.Yarp, world.Nginx };
        var (rates, cpu) = (parts.Select(_ => new List<double>()).ToArray(), new double[parts.Length]);
        for (var round = 0; round < 3; round++)
        {
            for (var i = 0; i < parts.Length; i++)
            {
                if (parts[i] is not { } part)
                    continue;
                var before = part.CpuSeconds;
                rates[i].Add(OpenLoop.Saturate(part.Address, 32, TimeSpan.FromSeconds(3)));
                cpu[i] += (part.CpuSeconds - before) / 3 / rates[i][^1] * 1e6 / 3;
            }
        }
        var gateway = rates[0].Order().ElementAt(1);
        var good = true;
        foreach (var (name, at) in new[] { ("YARP", 1), ("nginx", 2) })
        {
            var work = $"requests/s at saturation against bare {name}, same bodies, same upstream";
            if (parts[at] is null)
            {
                FigureRow.Print(work, "≥ 60 %", "not measured: " + NginxProcess.Missing);
                good = false;
                continue;
            }
            var bare = rates[at].Order().ElementAt(1);
            FigureRow.Print(work, "≥ 60 %", FigureRow.Text($"{gateway / bare:P0} ({gateway:0} against {bare:0}; processor time a request {cpu[0]:0} µs against {cpu[at]:0} µs)"));
            good &= gateway / bare >= 0.6;
        }
        return good;
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

    private static bool Memory(int requests)
    {
        const int keys = 10_000, models = 1000, clients = 32;
        using var world = GatewayWorld.Start(keys, models, replicas: 2000);
        var (left, marks, gateway) = (requests, new List<double>(), world.Gateway);
        OpenLoop.OnThreads(clients, client =>
        {
            using var connection = new KeepAlive(gateway.Address);
            for (var i = client; Interlocked.Decrement(ref left) is var remaining and >= 0; i += clients)
            {
                var model = i % models == 0 ? "tiny" : FigureRow.Text($"tiny{i % models}");
                connection.Ask(GatewayRequest.To(gateway.Address, model, key: i % keys));
                if (remaining % (requests / 5) != 0)
                    continue;
                lock (marks)
                    marks.Add(gateway.MemoryMb);
            }
        });
        FigureRow.Print($"{requests:N0} requests with 10,000 keys, 1,000 models, 2,000 replicas: memory of the gateway's process", "< 300 MB, flat",
            string.Join(", ", marks.Select(m => FigureRow.Text($"{m:0}"))) + " MB");
        return marks[^1] < 300;
    }
}
