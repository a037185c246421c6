using Cairn.State;

namespace Cairn.Serving;

/// <summary>The tables of endpoints, and of what clients keep: responses, files and batches.</summary>
public static class ServingMigrations
{
    public static IReadOnlyList<Migration> All { get; } =
    [
        new("serving", 1, """
            CREATE TABLE endpoints (
                id TEXT NOT NULL PRIMARY KEY,
                project_id TEXT NOT NULL,
                project TEXT NOT NULL,
                name TEXT NOT NULL,
                model TEXT,
                phase TEXT NOT NULL,
                revision BIGINT NOT NULL,
                previous BIGINT,
                canary BIGINT,
                canary_percent BIGINT NOT NULL,
                wanted BIGINT NOT NULL,
                failed_starts BIGINT NOT NULL,
                failed_at BIGINT,
                scaling TEXT NOT NULL,
                settings TEXT NOT NULL,
                created_at BIGINT NOT NULL,
                created_by TEXT NOT NULL,
                created_key TEXT NOT NULL,
                ended_at BIGINT
            );
            CREATE UNIQUE INDEX live_endpoints_by_name ON endpoints (project_id, name) WHERE ended_at IS NULL;
            CREATE TABLE endpoint_revisions (
                endpoint_id TEXT NOT NULL,
                number BIGINT NOT NULL,
                request TEXT NOT NULL,
                sealed TEXT,
                made_at BIGINT NOT NULL,
                PRIMARY KEY (endpoint_id, number)
            );
            CREATE TABLE replicas (
                id TEXT NOT NULL PRIMARY KEY,
                endpoint_id TEXT NOT NULL,
                revision BIGINT NOT NULL,
                job_id TEXT,
                task_id TEXT,
                phase TEXT NOT NULL,
                since BIGINT NOT NULL,
                made_at BIGINT NOT NULL,
                ready_at BIGINT,
                ended_at BIGINT,
                message TEXT
            );
            CREATE INDEX live_replicas ON replicas (endpoint_id) WHERE ended_at IS NULL;
            CREATE TABLE endpoint_events (
                endpoint_id TEXT NOT NULL,
                sequence BIGINT NOT NULL,
                at BIGINT NOT NULL,
                kind TEXT NOT NULL,
                message TEXT NOT NULL,
                PRIMARY KEY (endpoint_id, sequence)
            );
            """),
        new("responses", 1, """
            CREATE TABLE responses (
                id TEXT NOT NULL PRIMARY KEY,
                project_id TEXT NOT NULL,
                created_at BIGINT NOT NULL,
                expires_at BIGINT NOT NULL,
                bytes BIGINT NOT NULL,
                response TEXT NOT NULL,
                items TEXT NOT NULL
            );
            CREATE INDEX responses_by_age ON responses (project_id, created_at, id, bytes);
            CREATE INDEX responses_by_end ON responses (expires_at);
            """),
        new("files", 1, """
            CREATE TABLE client_files (
                id TEXT NOT NULL PRIMARY KEY,
                project_id TEXT NOT NULL,
                key_id TEXT NOT NULL,
                purpose TEXT NOT NULL,
                name TEXT NOT NULL,
                bytes BIGINT NOT NULL,
                hash TEXT NOT NULL,
                phase TEXT NOT NULL,
                created_at BIGINT NOT NULL,
                expires_at BIGINT
            );
            CREATE INDEX client_files_by_project ON client_files (project_id, id);
            CREATE INDEX client_files_by_phase ON client_files (phase, expires_at);
            """),
        new("batches", 1, """
            CREATE TABLE batches (
                id TEXT NOT NULL PRIMARY KEY,
                project_id TEXT NOT NULL,
                key_id TEXT NOT NULL,
                endpoint TEXT NOT NULL,
                input_file_id TEXT NOT NULL,
                metadata TEXT NOT NULL,
                output_seconds BIGINT,
                phase TEXT NOT NULL,
                ends_as TEXT,
                model TEXT,
                total BIGINT NOT NULL,
                completed BIGINT NOT NULL,
                failed BIGINT NOT NULL,
                input_tokens BIGINT NOT NULL,
                cached_tokens BIGINT NOT NULL,
                output_tokens BIGINT NOT NULL,
                errors TEXT NOT NULL,
                output_file_id TEXT,
                error_file_id TEXT,
                created_at BIGINT NOT NULL,
                in_progress_at BIGINT,
                finalizing_at BIGINT,
                cancelling_at BIGINT,
                ended_at BIGINT,
                expires_at BIGINT NOT NULL
            );
            CREATE INDEX batches_by_project ON batches (project_id, id);
            CREATE INDEX open_batches ON batches (id) WHERE ended_at IS NULL;
            CREATE TABLE batch_results (
                batch_id TEXT NOT NULL,
                line BIGINT NOT NULL,
                succeeded BOOLEAN NOT NULL,
                result TEXT NOT NULL,
                PRIMARY KEY (batch_id, line)
            );
            """),
        new("serving", 2, """
            CREATE TABLE inference_usage (
                project_id TEXT NOT NULL,
                hour BIGINT NOT NULL,
                key_id TEXT NOT NULL,
                model TEXT NOT NULL,
                endpoint_id TEXT NOT NULL,
                provider TEXT NOT NULL,
                requests BIGINT NOT NULL,
                input_tokens BIGINT NOT NULL,
                cached_tokens BIGINT NOT NULL,
                output_tokens BIGINT NOT NULL,
                cost BIGINT NOT NULL,
                PRIMARY KEY (project_id, hour, key_id, model, endpoint_id, provider)
            );
            CREATE TABLE key_spending (
                key_id TEXT NOT NULL PRIMARY KEY,
                day BIGINT NOT NULL,
                day_spent BIGINT NOT NULL,
                week BIGINT NOT NULL,
                week_spent BIGINT NOT NULL,
                month BIGINT NOT NULL,
                month_spent BIGINT NOT NULL,
                total_spent BIGINT NOT NULL
            );
            CREATE TABLE usage_batches (id TEXT NOT NULL PRIMARY KEY, at BIGINT NOT NULL);
            CREATE INDEX usage_batches_by_age ON usage_batches (at);
            CREATE TABLE outside_providers (
                id TEXT NOT NULL PRIMARY KEY,
                project_id TEXT NOT NULL,
                name TEXT NOT NULL,
                base_url TEXT NOT NULL,
                dialect TEXT NOT NULL,
                sealed TEXT,
                models TEXT NOT NULL,
                created_at BIGINT NOT NULL,
                created_by TEXT NOT NULL,
                UNIQUE (project_id, name)
            );
            """),
        new("serving", 3, """
            CREATE TABLE endpoint_hosts (host TEXT NOT NULL PRIMARY KEY, endpoint_id TEXT NOT NULL);
            CREATE INDEX endpoint_hosts_by_endpoint ON endpoint_hosts (endpoint_id);
            """),
        new("serving", 4, "ALTER TABLE replicas ADD COLUMN on_demand BIGINT NOT NULL DEFAULT 0;"),
        .. Gateways.GatewayMigrations.All,
    ];
}
