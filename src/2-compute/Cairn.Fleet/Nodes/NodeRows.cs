using Cairn.Contracts.Ids;
using Cairn.Contracts.Jobs;
using Cairn.Contracts.Wire;
using Cairn.State;
using Google.Protobuf;

namespace Cairn.Fleet.Nodes;

/// <summary>The SQL of nodes, and how what they declare becomes a column.</summary>
internal static class NodeRows
{
    private const string Columns =
        """
        n.id, n.name, n.public_key, n.declaration, n.inventory, n.phase, n.joined_at,
        s.last_seen_at, s.boot_epoch, s.daemon_version
        FROM nodes n LEFT JOIN node_sightings s ON s.node_id = n.id
        """;

    private static readonly JsonFormatter s_format = new(JsonFormatter.Settings.Default.WithPreserveProtoFieldNames(true));
    private static readonly JsonParser s_parse = new(JsonParser.Settings.Default.WithIgnoreUnknownFields(true));

    public static IReadOnlyList<NodeRow> AllInService(ReadSession session) =>
        session.Query<NodeRow>($"SELECT {Columns} WHERE n.phase <> 'removed'");

    public static NodeRow? ById(ReadSession session, NodeId id) =>
        session.QuerySingleOrDefault<NodeRow>($"SELECT {Columns} WHERE n.id = @id", new { id });

    public static NodeRow? ByKey(ReadSession session, string publicKey) =>
        session.QuerySingleOrDefault<NodeRow>($"SELECT {Columns} WHERE n.public_key = @publicKey", new { publicKey });

    public static bool IsNameTaken(ReadSession session, string name) =>
        session.Scalar<long>("SELECT COUNT(*) FROM nodes WHERE name = @name AND phase <> 'removed'", new { name }) > 0;

    public static void Insert(WriteSession session, NodeRow row, JoinTokenId joinedBy) => session.Execute(
        """
        INSERT INTO nodes (id, name, public_key, declaration, inventory, phase, joined_at, joined_by)
        VALUES (@Id, @Name, @PublicKey, @Declaration, @Inventory, @Phase, @JoinedAt, @JoinedBy)
        """,
        new { row.Id, row.Name, row.PublicKey, row.Declaration, row.Inventory, row.Phase, row.JoinedAt, joinedBy });

    public static int SetDeclared(WriteSession session, NodeId id, string declaration, string inventory) => session.Execute(
        "UPDATE nodes SET declaration = @declaration, inventory = @inventory WHERE id = @id AND phase <> 'removed'",
        new { id, declaration, inventory });

    public static int SetPhase(WriteSession session, NodeId id, NodePhase phase) => session.Execute(
        "UPDATE nodes SET phase = @phase WHERE id = @id AND phase <> 'removed'", new { id, phase });

    public static void Sight(WriteSession session, IReadOnlyList<NodeSighting> sightings) => session.ExecuteMany(
        """
        INSERT INTO node_sightings (node_id, last_seen_at, boot_epoch, daemon_version)
        VALUES (@NodeId, @LastSeenAt, @BootEpoch, @DaemonVersion)
        ON CONFLICT (node_id) DO UPDATE
        SET last_seen_at = excluded.last_seen_at, boot_epoch = excluded.boot_epoch, daemon_version = excluded.daemon_version
        """,
        sightings);

    public static string KeyText(ReadOnlySpan<byte> publicKey) => Convert.ToHexStringLower(publicKey);

    public static string Json(IMessage message) => s_format.Format(message);

    public static Declaration Declaration(string json) => s_parse.Parse<Declaration>(json);

    public static Inventory Inventory(string json) => s_parse.Parse<Inventory>(json);
}

internal sealed record NodeRow
{
    public required NodeId Id { get; init; }

    public required string Name { get; init; }

    /// <summary>Ed25519, lower-case hex.</summary>
    public required string PublicKey { get; init; }

    /// <summary>The wire message as JSON.</summary>
    public required string Declaration { get; init; }

    /// <summary>The wire message as JSON.</summary>
    public required string Inventory { get; init; }

    public required NodePhase Phase { get; init; }

    public required DateTimeOffset JoinedAt { get; init; }

    public DateTimeOffset? LastSeenAt { get; init; }

    public long? BootEpoch { get; init; }

    public string? DaemonVersion { get; init; }

    /// <summary>The node as it counts in memory. Null where a row written by another version declares what this one cannot read.</summary>
    public FleetNode? ToNode()
    {
        var (facts, _) = NodeDeclaration.Read(NodeRows.Declaration(Declaration), NodeRows.Inventory(Inventory));
        return facts is null ? null : new FleetNode(Id, Name, Convert.FromHexString(PublicKey), facts, JoinedAt)
        {
            Phase = Phase,
            SeenBefore = LastSeenAt,
            BootEpoch = BootEpoch ?? 0,
            DaemonVersion = DaemonVersion ?? "",
        };
    }
}

/// <summary>When a node's daemon was last heard, written coarsely.</summary>
internal sealed record NodeSighting(NodeId NodeId, DateTimeOffset LastSeenAt, long BootEpoch, string DaemonVersion);
