using Cairn.State;

namespace Cairn.Fleet.Nodes;

/// <summary>
/// Writes when nodes were last heard: a sixtieth of them each second, those that were heard since their turn before. So a row is written
/// once a minute at most, never by a heartbeat, and no second writes more than its share.
/// </summary>
internal sealed class Sightings(Store store, FleetNodes nodes, TimeProvider time)
{
    private const int Turns = 60;
    private const int RowsPerWork = 1_000;
    private readonly long[] _lastTurn = new long[Turns];
    private int _turn;

    public async Task WriteNextTurnAsync(CancellationToken cancellationToken)
    {
        var turn = _turn++ % Turns;
        var since = _lastTurn[turn];
        _lastTurn[turn] = time.GetTimestamp();
        var heard = nodes.All
            .Where(node => node.HeardHere && node.HeardAt > since && TurnOf(node) == turn)
            .Select(Sighting).ToArray();
        await WriteAsync(heard, cancellationToken);
    }

    /// <summary>Everything, when the server stops. What the time does not reach for keeps the sighting of its last turn.</summary>
    public async Task WriteAllAsync(CancellationToken cancellationToken)
    {
        try
        {
            await WriteAsync([.. nodes.All.Where(node => node.HeardHere).Select(Sighting)], cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The next start counts silence from its own beginning, so nothing hangs on these rows.
        }
    }

    private async Task WriteAsync(NodeSighting[] heard, CancellationToken cancellationToken)
    {
        foreach (var share in heard.Chunk(RowsPerWork))
            await store.WriteAsync(session => NodeRows.Sight(session, share), cancellationToken);
    }

    private NodeSighting Sighting(FleetNode node) => new(node.Id, node.LastHeard(time)!.Value, node.BootEpoch, node.DaemonVersion);

    private static int TurnOf(FleetNode node) => (int)((uint)node.Id.GetHashCode() % Turns);
}
