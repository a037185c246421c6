using System.Diagnostics;
using System.Globalization;
using Cairn.Bench.Figures;
using Cairn.Bench.Servers;
using Cairn.Bench.Simulated;
using Cairn.Contracts.Wire;

namespace Cairn.Bench.Heartbeats;

/// <summary>
/// Idle simulated nodes of which each is heard every ten seconds, as one message for many nodes of a stream and as a message for each. Measured is the
/// server's own processor time.
/// </summary>
internal static class HeartbeatsLoad
{
    private const int Streams = 8;
    private const int EverySeconds = 10;

    /// <summary>Arguments: nodes (default 40,000) and seconds of each way (default 30).</summary>
    public static async Task<bool> RunAsync(string[] args)
    {
        var nodes = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 40_000;
        var time = TimeSpan.FromSeconds(args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 30);
        await using var server = await ServerProcess.StartAsync("server");
        using var api = new ServerApi(server);
        var script = new AckCount();
        var began = Stopwatch.GetTimestamp();
        var joinCost = server.ProcessorTime;
        await using var daemons = await SimulatedDaemons.StartAsync(server, await api.JoinTokenAsync(), nodes, Streams, script);
        Console.WriteLine(FigureRow.Text($"{daemons.Count:N0} simulated daemons joined and attached over {Streams} streams in ")
            + FigureRow.Text($"{Stopwatch.GetElapsedTime(began).TotalSeconds:0.0} s, {(server.ProcessorTime - joinCost).TotalMicroseconds / nodes:N0} µs of the server each"));

        var silent = await MeasureAsync("silent", server, daemons, script, time / 3, (_, _) => { });
        var batched = await MeasureAsync("one message for many nodes", server, daemons, script, time, (stream, nodes) => stream.SendHeartbeats(nodes));
        var single = await MeasureAsync("one message for each node", server, daemons, script, time, SendEach);
        var resident = server.ResidentBytes;
        var good = batched < 1.0 / 3 && single < 1.0 / 3 && resident < 2_000_000_000;
        FigureRow.Print(
            "40,000 idle nodes heartbeating every 10 s (simulated daemons, real sockets; 8 streams stand for them)",
            "under a third of one core, under 2 GB",
            FigureRow.Text($"{batched:P1} of a core batched, {single:P1} with single messages ({silent:P1} without any); {resident / 1e6:N0} MB"));
        return good;
    }

    /// <summary>The server's share of one core while each slice of the nodes is heard once in ten seconds.</summary>
    private static async Task<double> MeasureAsync(
        string name, ServerProcess server, SimulatedDaemons daemons, AckCount acks, TimeSpan time, Action<SimulatedStream, ArraySegment<SimulatedNode>> send)
    {
        var slices = daemons.Streams.Select(stream => Slices(stream.Nodes)).ToList();
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1));
        var (before, began, acksBefore) = (server.ProcessorTime, Stopwatch.GetTimestamp(), acks.Heard);
        for (var second = 0; Stopwatch.GetElapsedTime(began) < time; second++)
        {
            for (var i = 0; i < slices.Count; i++)
                send(daemons.Streams[i], slices[i][second % EverySeconds]);
            await timer.WaitForNextTickAsync();
        }

        var elapsed = Stopwatch.GetElapsedTime(began);
        var share = (server.ProcessorTime - before) / elapsed;
        Console.WriteLine(FigureRow.Text(
            $"  {name}: {share:P1} of a core over {elapsed.TotalSeconds:0} s, {acks.Heard - acksBefore:N0} answers, {server.ResidentBytes / 1e6:N0} MB"));
        return share;
    }

    private static List<ArraySegment<SimulatedNode>> Slices(IReadOnlyList<SimulatedNode> nodes) =>
        [.. nodes.Chunk((nodes.Count + EverySeconds - 1) / EverySeconds).Select(part => new ArraySegment<SimulatedNode>(part))];

    private static void SendEach(SimulatedStream stream, ArraySegment<SimulatedNode> nodes)
    {
        foreach (var node in nodes)
            stream.Send(node, new NodeMessage { Heartbeat = new Heartbeat { CpuBusy = 0.01, MemoryUsedBytes = 1L << 30, DiskFreeBytes = 512L << 30 } });
    }

    private sealed class AckCount : INodeScript
    {
        private long _heard;

        public long Heard => Volatile.Read(ref _heard);

        public void Received(SimulatedStream stream, SimulatedNode node, ServerMessage message)
        {
            if (message.BodyCase == ServerMessage.BodyOneofCase.HeartbeatAck)
                Interlocked.Increment(ref _heard);
        }
    }
}
