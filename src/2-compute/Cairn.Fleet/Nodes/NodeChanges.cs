using System.Threading.Channels;
using Cairn.Contracts.Ids;

namespace Cairn.Fleet.Nodes;

/// <summary>What happened to a node since one last looked; several things may have.</summary>
[Flags]
internal enum NodeChange
{
    None = 0,
    Joined = 1,

    /// <summary>What it declares or what was found in it is different: capacity, price, labels.</summary>
    Redeclared = 2,
    Attached = 4,
    Detached = 8,
    Unhealthy = 16,

    /// <summary>Silent for so long that its leases are void.</summary>
    Lost = 32,

    /// <summary>Heard again after it was unhealthy or lost.</summary>
    Returned = 64,

    /// <summary>Cordoned, uncordoned, draining or removed.</summary>
    PhaseChanged = 128,
}

/// <summary>
/// One listener's share of what happens to nodes, merged by node: it can never hold more than one entry per node, however slow the
/// listener. An entry says where to look, not what is true now: a node that was lost and is back may carry both flags.
/// </summary>
internal sealed class NodeChanges
{
    private readonly Lock _gate = new();
    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private Dictionary<NodeId, NodeChange> _pending = [];

    /// <summary>Returns once there is something to take.</summary>
    public async ValueTask WaitAsync(CancellationToken cancellationToken) => await _wake.Reader.ReadAsync(cancellationToken);

    /// <summary>Everything since the last call.</summary>
    public IReadOnlyDictionary<NodeId, NodeChange> Take()
    {
        lock (_gate)
        {
            var taken = _pending;
            _pending = [];
            return taken;
        }
    }

    internal void Add(NodeId node, NodeChange change)
    {
        lock (_gate)
            _pending[node] = _pending.GetValueOrDefault(node) | change;
        _wake.Writer.TryWrite(true);
    }
}
