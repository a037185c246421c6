using Cairn.State;

namespace Cairn.Serving.Gateways;

internal static class GatewayMigrations
{
    public static IReadOnlyList<Migration> All { get; } =
    [
        new("gateways", 1, """
            CREATE TABLE gateways (
                id TEXT NOT NULL PRIMARY KEY,
                name TEXT NOT NULL,
                key_id TEXT NOT NULL,
                joined_at BIGINT NOT NULL,
                seen_at BIGINT NOT NULL,
                last_usage BIGINT NOT NULL,
                departed BOOLEAN NOT NULL
            );
            CREATE TABLE gateway_slices (
                gateway_id TEXT NOT NULL,
                key_id TEXT NOT NULL,
                period TEXT NOT NULL,
                began BIGINT NOT NULL,
                lent BIGINT NOT NULL,
                returned BIGINT NOT NULL,
                spent BIGINT NOT NULL,
                PRIMARY KEY (gateway_id, key_id, period, began)
            );
            """),
        new("gateways", 2, "ALTER TABLE gateway_slices RENAME COLUMN key_id TO purse_id"),
    ];
}
