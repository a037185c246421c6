using Cairn.State;

namespace Cairn.Fleet.Jobs;

/// <summary>
/// The tables of jobs. A job costs one row, one more per task (a lease has one use, so a task's row is its lease too) and one per event;
/// what few jobs have (files, secrets, outputs) lies in tables of its own. The columns are told by <see cref="LiveJob"/> and
/// <see cref="LiveTask"/>.
/// </summary>
internal static class JobMigrations
{
    public static readonly IReadOnlyList<Migration> All = [new("jobs", 1, Tables)];

    private const string Tables =
        """
        CREATE TABLE jobs (
            id TEXT PRIMARY KEY, name TEXT NOT NULL, project_id TEXT NOT NULL, project TEXT NOT NULL, submitted_by TEXT,
            idempotency_key TEXT, request_hash TEXT, priority BIGINT NOT NULL, nodes BIGINT NOT NULL, spec TEXT NOT NULL,
                places TEXT NOT NULL,
            submitted_at BIGINT NOT NULL, phase TEXT NOT NULL, reason TEXT, message TEXT,
            attempt BIGINT NOT NULL, failures BIGINT NOT NULL, losses BIGINT NOT NULL, wanted TEXT, not_before BIGINT NOT NULL,
                exit_code BIGINT,
            provider TEXT, region TEXT, instance_type TEXT, accelerators TEXT, simulated BOOLEAN NOT NULL,
            hourly BIGINT NOT NULL, cost BIGINT NOT NULL, placed_at BIGINT, started_at BIGINT, ended_at BIGINT,
            stop_asked_at BIGINT, stop_grace_seconds BIGINT, stop_reason TEXT, event_sequence BIGINT NOT NULL,
            has_files BOOLEAN NOT NULL, has_secrets BOOLEAN NOT NULL, has_checkpoint BOOLEAN NOT NULL,
            pipeline_id TEXT, step TEXT, waits_for TEXT);
        CREATE UNIQUE INDEX jobs_live_name ON jobs (project_id, name) WHERE ended_at IS NULL;
        CREATE INDEX jobs_name ON jobs (name, id);
        CREATE UNIQUE INDEX jobs_idempotency ON jobs (project_id, idempotency_key) WHERE idempotency_key IS NOT NULL;
        CREATE INDEX jobs_pipeline ON jobs (pipeline_id) WHERE pipeline_id IS NOT NULL;

        CREATE TABLE tasks (
            id TEXT PRIMARY KEY, job_id TEXT NOT NULL, attempt BIGINT NOT NULL, rank BIGINT NOT NULL, node_id TEXT NOT NULL,
                node TEXT NOT NULL,
            provider TEXT NOT NULL, region TEXT NOT NULL, devices TEXT NOT NULL, takes_accelerators DOUBLE PRECISION NOT NULL,
                takes_cpus DOUBLE PRECISION NOT NULL,
            takes_memory_bytes BIGINT NOT NULL, takes_disk_bytes BIGINT NOT NULL,
            state TEXT NOT NULL, reason TEXT, message TEXT, exit_code BIGINT, signal BIGINT, report_sequence BIGINT NOT NULL,
                log_bytes BIGINT,
            price BIGINT NOT NULL, bills_boot BOOLEAN NOT NULL, granted_at BIGINT NOT NULL, running_at BIGINT, ended_at BIGINT,
            billed_micros BIGINT NOT NULL, settled BIGINT NOT NULL);
        CREATE INDEX tasks_job ON tasks (job_id, attempt);

        CREATE TABLE job_events (
            job_id TEXT NOT NULL, sequence BIGINT NOT NULL, at BIGINT NOT NULL, kind TEXT NOT NULL, message TEXT NOT NULL,
                phase TEXT NOT NULL,
            PRIMARY KEY (job_id, sequence));

        CREATE TABLE job_files (job_id TEXT PRIMARY KEY, manifest TEXT NOT NULL);

        CREATE TABLE job_secrets (job_id TEXT PRIMARY KEY, sealed TEXT NOT NULL);

        CREATE TABLE job_outputs (
            job_id TEXT NOT NULL, checkpoint BOOLEAN NOT NULL, name TEXT NOT NULL, rank BIGINT NOT NULL, attempt BIGINT NOT NULL,
            files BIGINT NOT NULL, size_bytes BIGINT NOT NULL, manifest TEXT NOT NULL, at BIGINT NOT NULL,
            PRIMARY KEY (job_id, checkpoint, name, rank));
        """;
}
