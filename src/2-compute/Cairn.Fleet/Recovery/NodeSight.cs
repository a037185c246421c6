using Cairn.Contracts.Ids;
using Cairn.Fleet.Nodes;
using Cairn.State;

namespace Cairn.Fleet.Recovery;

/// <summary>What the server last saw of a node.</summary>
/// <param name="nodes">All nodes.</param>
/// <param name="time">The server's clock.</param>
/// <param name="leaseSeconds">How long a task whose policy is to stop goes on without a renewal.</param>
internal sealed class NodeSight(FleetNodes nodes, TimeProvider time, int leaseSeconds)
{
    /// <summary>For a renewal's way to the node and for clocks that run a little differently.</summary>
    public const long LeaseMarginMicros = 5_000_000;

    public int LeaseSeconds => leaseSeconds;

    public long LeaseMicros => leaseSeconds * 1_000_000L;

    /// <summary>When the node was last heard, UTC microseconds; the fallback for one that is not known any more.</summary>
    public long LastSeen(NodeId node, long fallback) =>
        nodes.Find(node)?.LastHeard(time) is { } heard ? Math.Min(Micros.Of(heard), fallback) : fallback;

    /// <summary>Whether the node has no open connection.</summary>
    public bool IsAway(NodeId node) => nodes.Find(node) is not { Connected: true };
}
