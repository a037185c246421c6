using Cairn.State;

namespace Cairn.Fleet.Nodes;

/// <summary>The tables of nodes and of the tokens they join with.</summary>
internal static class NodeMigrations
{
    /// <summary>
    /// Sightings have a table of their own: they are written every minute for every node, and a row is written whole, so the long JSON of
    /// a node must not be in it.
    /// </summary>
    public static readonly IReadOnlyList<Migration> All =
    [
        new("nodes", 1,
            """
            CREATE TABLE nodes (
                id TEXT PRIMARY KEY,
                name TEXT NOT NULL,
                public_key TEXT NOT NULL UNIQUE,
                declaration TEXT NOT NULL,
                inventory TEXT NOT NULL,
                phase TEXT NOT NULL,
                joined_at BIGINT NOT NULL,
                joined_by TEXT NOT NULL
            );
            CREATE UNIQUE INDEX nodes_by_name ON nodes (name) WHERE phase <> 'removed';
            CREATE TABLE node_sightings (
                node_id TEXT PRIMARY KEY,
                last_seen_at BIGINT NOT NULL,
                boot_epoch BIGINT NOT NULL,
                daemon_version TEXT NOT NULL
            );
            CREATE TABLE join_tokens (
                id TEXT PRIMARY KEY,
                secret_hash TEXT NOT NULL,
                created_at BIGINT NOT NULL,
                expires_at BIGINT NOT NULL,
                max_uses BIGINT NOT NULL,
                uses BIGINT NOT NULL,
                note TEXT,
                revoked BOOLEAN NOT NULL
            );
            """),
    ];
}
