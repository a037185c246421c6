using Cairn.State;

namespace Cairn.Server.Identity;

internal static class IdentityMigrations
{
    public static IReadOnlyList<Migration> All { get; } =
    [
        new("identity", 1, """
            CREATE TABLE projects (
                id TEXT NOT NULL PRIMARY KEY,
                name TEXT NOT NULL UNIQUE,
                created_at BIGINT NOT NULL
            );
            CREATE TABLE api_keys (
                id TEXT NOT NULL PRIMARY KEY,
                name TEXT NOT NULL,
                secret_hash TEXT NOT NULL,
                role TEXT NOT NULL,
                project_id TEXT NOT NULL REFERENCES projects (id),
                created_at BIGINT NOT NULL,
                expires_at BIGINT,
                revoked BOOLEAN NOT NULL
            );
            CREATE TABLE idempotent_replies (
                key_id TEXT NOT NULL,
                idempotency_key TEXT NOT NULL,
                request_hash TEXT NOT NULL,
                status BIGINT NOT NULL,
                content_type TEXT,
                body TEXT NOT NULL,
                created_at BIGINT NOT NULL,
                PRIMARY KEY (key_id, idempotency_key)
            );
            CREATE INDEX idempotent_replies_by_age ON idempotent_replies (created_at);
            """),
        new("identity", 2, """
            ALTER TABLE api_keys ADD COLUMN parent_id TEXT;
            ALTER TABLE api_keys ADD COLUMN blocked BOOLEAN NOT NULL DEFAULT FALSE;
            ALTER TABLE api_keys ADD COLUMN models TEXT NOT NULL DEFAULT '[]';
            ALTER TABLE api_keys ADD COLUMN requests_per_minute BIGINT;
            ALTER TABLE api_keys ADD COLUMN tokens_per_minute BIGINT;
            ALTER TABLE api_keys ADD COLUMN parallel_requests BIGINT;
            ALTER TABLE api_keys ADD COLUMN budget BIGINT;
            ALTER TABLE api_keys ADD COLUMN budget_period TEXT NOT NULL DEFAULT 'total';
            """),
    ];
}
