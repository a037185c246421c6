using System.Diagnostics.Metrics;

namespace Cairn.Fleet.Nodes;

/// <summary>What nodes, their streams and their logs do, as metrics of the meter <c>Cairn.Fleet</c>.</summary>
internal sealed class NodeInstruments : IDisposable
{
    private readonly Meter _meter;

    public NodeInstruments(IMeterFactory meters, FleetNodes nodes)
    {
        _meter = meters.Create("Cairn.Fleet");
        Streams = _meter.CreateUpDownCounter<int>("cairn.fleet.streams", "{stream}", "Open attach streams.");
        Heartbeats = _meter.CreateCounter<long>("cairn.fleet.heartbeats", "{heartbeat}", "Heartbeats heard.");
        Dropped = _meter.CreateCounter<long>("cairn.fleet.messages.dropped", "{message}",
            "Messages of nodes without a current session, or of tasks that are over.");
        LogBytes = _meter.CreateCounter<long>("cairn.fleet.logs.received", "By", "Log bytes that nodes sent.");
        Attached = _meter.CreateCounter<long>("cairn.fleet.attaches", "{attach}", "Proofs of nodes, by result.");
        _meter.CreateObservableGauge("cairn.fleet.nodes", () => Measure(nodes), "{node}", "Nodes by health.");
    }

    public UpDownCounter<int> Streams { get; }

    public Counter<long> Heartbeats { get; }

    public Counter<long> Dropped { get; }

    public Counter<long> LogBytes { get; }

    public Counter<long> Attached { get; }

    public void Dispose() => _meter.Dispose();

    private static IEnumerable<Measurement<int>> Measure(FleetNodes nodes) => nodes.All
        .CountBy(node => node.Health)
        .Select(count => new Measurement<int>(
            count.Value, new KeyValuePair<string, object?>("cairn.node.health", count.Key.ToString().ToLowerInvariant())));
}
