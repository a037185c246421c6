using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Cairn.Contracts.Ids;
using Cairn.Contracts.Jobs;

namespace Cairn.Fleet.Nodes;

/// <summary>
/// All nodes that are not removed, in memory, as rebuilt from rows at start. Looking one up takes no lock; every change takes one and
/// tells the listeners. Health and connection live only here: after a restart a node counts as unhealthy until it is heard, and as lost
/// once it stays silent for the whole limit from the start of this server.
/// </summary>
internal sealed partial class FleetNodes(TimeProvider time)
{
    private readonly ConcurrentDictionary<NodeId, FleetNode> _byId = new();
    private readonly Dictionary<string, FleetNode> _byName = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (NodeClass Class, int Nodes, int Usable)> _classes = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();
    private NodeChanges[] _listeners = [];
    private FleetNode[]? _inNameOrder;
    private long _version;

    /// <summary>Grows with every change of a class, its number of nodes or its usable ones.</summary>
    public long ClassVersion => Volatile.Read(ref _version);

    public int Count => _byId.Count;

    /// <summary>Every node, in no order.</summary>
    public IEnumerable<FleetNode> All => _byId.Values;

    public FleetNode? Find(NodeId id) => _byId.GetValueOrDefault(id);

    public FleetNode? FindByName(string name)
    {
        lock (_gate)
            return _byName.GetValueOrDefault(name);
    }

    /// <summary>By id or name, as a person wrote it.</summary>
    public bool TryFind(string nameOrId, [NotNullWhen(true)] out FleetNode? node)
    {
        node = FindByName(nameOrId) ?? (TypedId.TryParse<NodeId>(nameOrId, out var id) ? Find(id) : null);
        return node is not null;
    }

    /// <summary>All nodes by name, as an array that nobody changes.</summary>
    public IReadOnlyList<FleetNode> InNameOrder()
    {
        lock (_gate)
            return _inNameOrder ??= [.. _byName.Values.OrderBy(n => n.Name, StringComparer.Ordinal)];
    }

    /// <summary>A feed of what happens from now on.</summary>
    public NodeChanges Subscribe()
    {
        var listener = new NodeChanges();
        lock (_gate)
            _listeners = [.. _listeners, listener];
        return listener;
    }

    /// <summary>The classes that have nodes, each with how many of them are in service and not lost.</summary>
    public (long Version, IReadOnlyList<(NodeClass Class, int Usable)> Classes) Classes()
    {
        lock (_gate)
            return (_version, [.. _classes.Values.Select(c => (c.Class, c.Usable))]);
    }

    /// <summary>Takes in a node that its row has made durable.</summary>
    internal void Add(FleetNode node, bool joined)
    {
        lock (_gate)
        {
            if (_byId.ContainsKey(node.Id))
                return;
            node.Hear(time.GetTimestamp());
            node.Health = NodeHealth.Unhealthy;
            _byName.Add(node.Name, node);
            _inNameOrder = null;
            _rowChanges++;
            EnterClassLocked(node);
            // Last, for readers take no lock: whoever finds a node finds it whole.
            _byId[node.Id] = node;
            if (joined)
                TellLocked(node, NodeChange.Joined);
        }
    }

    internal void Redeclare(FleetNode node, NodeFacts facts)
    {
        lock (_gate)
        {
            _rowChanges++;
            LeaveClassLocked(node);
            node.Facts = facts;
            EnterClassLocked(node);
            TellLocked(node, NodeChange.Redeclared);
        }
    }

    internal void SetPhase(FleetNode node, NodePhase phase)
    {
        lock (_gate)
        {
            if (node.Phase == phase)
                return;
            _rowChanges++;
            LeaveClassLocked(node);
            node.Phase = phase;
            if (phase == NodePhase.Removed)
            {
                _byId.TryRemove(node.Id, out _);
                _byName.Remove(node.Name);
                _inNameOrder = null;
            }
            else
            {
                EnterClassLocked(node);
            }
            TellLocked(node, NodeChange.PhaseChanged);
        }
    }

    internal void Attached(FleetNode node)
    {
        lock (_gate)
        {
            node.Hear(time.GetTimestamp());
            node.HeardHere = true;
            var change = NodeChange.Attached | (node.Health == NodeHealth.Healthy ? NodeChange.None : NodeChange.Returned);
            ChangeHealthLocked(node, NodeHealth.Healthy);
            TellLocked(node, change);
        }
    }

    internal void Detached(FleetNode node)
    {
        lock (_gate)
            TellLocked(node, NodeChange.Detached);
    }

    /// <summary>Applies what <see cref="HealthDecision"/> found, unless the node was heard since.</summary>
    internal bool SetHealth(FleetNode node, NodeHealth health, long heardAt)
    {
        lock (_gate)
        {
            if (node.Health == health || node.HeardAt != heardAt || node.Phase == NodePhase.Removed)
                return false;
            ChangeHealthLocked(node, health);
            TellLocked(node, health switch
            {
                NodeHealth.Healthy => NodeChange.Returned,
                NodeHealth.Unhealthy => NodeChange.Unhealthy,
                _ => NodeChange.Lost,
            });
            return true;
        }
    }

    private void ChangeHealthLocked(FleetNode node, NodeHealth health)
    {
        LeaveClassLocked(node);
        node.Health = health;
        EnterClassLocked(node);
    }

    private void EnterClassLocked(FleetNode node)
    {
        if (node.Phase == NodePhase.Removed)
            return;
        if (node.Class is null || !ReferenceEquals(node.ClassFacts, node.Facts))
        {
            node.Class = NodeClass.Of(node.Facts);
            node.ClassFacts = node.Facts;
        }
        var entry = _classes.GetValueOrDefault(node.Class.Key, (Class: node.Class, Nodes: 0, Usable: 0));
        node.Class = entry.Class;
        _classes[node.Class.Key] = (entry.Class, entry.Nodes + 1, entry.Usable + (IsUsable(node) ? 1 : 0));
        _version++;
    }

    private void LeaveClassLocked(FleetNode node)
    {
        if (node.Phase == NodePhase.Removed || !_classes.TryGetValue(node.Class.Key, out var entry))
            return;
        if (entry.Nodes == 1)
            _classes.Remove(node.Class.Key);
        else
            _classes[node.Class.Key] = (entry.Class, entry.Nodes - 1, entry.Usable - (IsUsable(node) ? 1 : 0));
        _version++;
    }

    private static bool IsUsable(FleetNode node) => node.Phase == NodePhase.Active && node.Health != NodeHealth.Lost;

    private void TellLocked(FleetNode node, NodeChange change)
    {
        foreach (var listener in _listeners)
            listener.Add(node.Id, change);
    }
}
