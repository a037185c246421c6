using Cairn.Contracts.Ids;
using Cairn.Contracts.Jobs;
using Cairn.Fleet.Link;

namespace Cairn.Fleet.Nodes;

/// <summary>
/// The one mutable holder of what is known of a node now. Readers read without a lock; only <see cref="FleetNodes"/> writes, but for
/// <see cref="Hear"/>, which every heartbeat calls and which therefore is one plain write.
/// </summary>
internal sealed class FleetNode
{
    private long _heardAt;
    private volatile NodeFacts _facts;
    private volatile int _phase;
    private volatile int _health;
    private volatile NodeSession? _session;

    internal FleetNode(NodeId id, string name, byte[] publicKey, NodeFacts facts, DateTimeOffset joinedAt)
    {
        Id = id;
        Name = name;
        PublicKey = publicKey;
        JoinedAt = joinedAt;
        WireId = id.ToString();
        _facts = facts;
    }

    public NodeId Id { get; }

    public string Name { get; }

    /// <summary>Ed25519, 32 bytes.</summary>
    public byte[] PublicKey { get; }

    public DateTimeOffset JoinedAt { get; }

    /// <summary>The id as messages write it.</summary>
    public string WireId { get; }

    /// <summary>What it declares and what was found in it.</summary>
    public NodeFacts Facts { get => _facts; internal set => _facts = value; }

    public NodePhase Phase { get => (NodePhase)_phase; internal set => _phase = (int)value; }

    public NodeHealth Health { get => (NodeHealth)_health; internal set => _health = (int)value; }

    /// <summary>Whether its daemon has an open stream to this server.</summary>
    public bool Connected => _session is { IsCurrent: true };

    /// <summary>May be given new work: in service, heard of, and reachable.</summary>
    public bool TakesWork => Phase == NodePhase.Active && Health == NodeHealth.Healthy && Connected;

    /// <summary>The class whose offer it stands behind.</summary>
    public NodeClass Class { get; internal set; } = null!;

    /// <summary>The facts that <see cref="Class"/> was made of.</summary>
    internal NodeFacts? ClassFacts { get; set; }

    public string DaemonVersion { get; internal set; } = "";

    /// <summary>The highest start of its daemon that was seen.</summary>
    public long BootEpoch { get; internal set; }

    /// <summary>
    /// When it was last heard, as <see cref="TimeProvider.GetTimestamp"/>: a monotonic clock, so that a wall clock set anew loses no node.
    /// </summary>
    public long HeardAt => Volatile.Read(ref _heardAt);

    /// <summary>False until the daemon was heard by this server; then <see cref="HeardAt"/> is when the server began to listen.</summary>
    public bool HeardHere { get; internal set; }

    /// <summary>From the row, for a node not yet heard by this server.</summary>
    public DateTimeOffset? SeenBefore { get; internal set; }

    /// <summary>When its daemon last spoke, by the server's clock.</summary>
    public DateTimeOffset? LastHeard(TimeProvider time) =>
        HeardHere ? time.GetUtcNow() - time.GetElapsedTime(HeardAt) : SeenBefore;

    internal Lock SessionGate { get; } = new();

    internal NodeSession? Session { get => _session; set => _session = value; }

    internal void Hear(long timestamp) => Volatile.Write(ref _heardAt, timestamp);
}
