using Cairn.Contracts.Jobs;

namespace Cairn.Fleet.Nodes;

internal sealed partial class FleetNodes
{
    private long _rowChanges;

    /// <summary>Grows with every change that a row has made durable.</summary>
    internal long RowChanges => Volatile.Read(ref _rowChanges);

    /// <summary>
    /// Takes nodes as their rows have them, where another server led until now. Those that are not connected here get their time to come
    /// from this moment: that this server did not hear them so far says nothing.
    /// </summary>
    /// <returns>False where something changed since the rows were read: they are to be read again.</returns>
    internal bool TryTakeOver(IReadOnlyCollection<FleetNode> rows, long changesBefore)
    {
        var ids = rows.Select(row => row.Id).ToHashSet();
        lock (_gate)
        {
            if (_rowChanges != changesBefore)
                return false;
            foreach (var gone in _byId.Values.Where(node => !ids.Contains(node.Id)).ToList())
                SetPhase(gone, NodePhase.Removed);
            foreach (var row in rows)
            {
                if (_byId.TryGetValue(row.Id, out var node))
                    RenewLocked(node, row);
                else
                    Add(row, joined: false);
            }
            return true;
        }
    }

    private void RenewLocked(FleetNode node, FleetNode row)
    {
        LeaveClassLocked(node);
        (node.Facts, node.Phase) = (row.Facts, row.Phase);
        if (!node.Connected)
        {
            node.Hear(time.GetTimestamp());
            (node.Health, node.HeardHere, node.SeenBefore) = (NodeHealth.Unhealthy, false, row.SeenBefore);
            node.BootEpoch = Math.Max(node.BootEpoch, row.BootEpoch);
        }
        EnterClassLocked(node);
    }
}
