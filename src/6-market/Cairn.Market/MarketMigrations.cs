using Cairn.State;

namespace Cairn.Market;

/// <summary>The tables of money.</summary>
public static class MarketMigrations
{
    public static IReadOnlyList<Migration> All { get; } =
    [
        new("market", 1, """
            CREATE TABLE ledger_head (id BIGINT NOT NULL PRIMARY KEY, sequence BIGINT NOT NULL, hash TEXT NOT NULL);
            INSERT INTO ledger_head (id, sequence, hash) VALUES (1, 0, '');
            CREATE TABLE ledger_accounts (name TEXT NOT NULL PRIMARY KEY, balance BIGINT NOT NULL);
            CREATE TABLE ledger_transactions (
                sequence BIGINT NOT NULL PRIMARY KEY,
                key TEXT NOT NULL UNIQUE,
                kind TEXT NOT NULL,
                job_id TEXT,
                at BIGINT NOT NULL,
                note TEXT,
                hash TEXT NOT NULL
            );
            CREATE TABLE ledger_entries (
                sequence BIGINT NOT NULL,
                line BIGINT NOT NULL,
                account TEXT NOT NULL,
                amount BIGINT NOT NULL,
                PRIMARY KEY (sequence, line)
            );
            CREATE TABLE job_funds (
                job_id TEXT NOT NULL PRIMARY KEY,
                project_id TEXT NOT NULL,
                held BIGINT NOT NULL,
                drawn BIGINT NOT NULL,
                holds BIGINT NOT NULL,
                closed BOOLEAN NOT NULL
            );
            CREATE TABLE charges (
                lease_id TEXT NOT NULL,
                kind TEXT NOT NULL,
                day BIGINT NOT NULL,
                job_id TEXT NOT NULL,
                project_id TEXT NOT NULL,
                provider TEXT NOT NULL,
                region TEXT NOT NULL,
                description TEXT NOT NULL,
                unit_price BIGINT NOT NULL,
                quantity BIGINT NOT NULL,
                amount BIGINT NOT NULL,
                written_off BIGINT NOT NULL,
                simulated BOOLEAN NOT NULL,
                PRIMARY KEY (lease_id, kind, day)
            );
            CREATE INDEX charges_by_job ON charges (job_id);
            CREATE INDEX charges_by_project_and_day ON charges (project_id, day);
            """),
        new("market", 2, """
            CREATE TABLE inference_charges (
                project_id TEXT NOT NULL,
                day BIGINT NOT NULL,
                key_id TEXT NOT NULL,
                model TEXT NOT NULL,
                endpoint_id TEXT NOT NULL,
                provider TEXT NOT NULL,
                requests BIGINT NOT NULL,
                input_tokens BIGINT NOT NULL,
                output_tokens BIGINT NOT NULL,
                amount BIGINT NOT NULL,
                written_off BIGINT NOT NULL,
                PRIMARY KEY (project_id, day, key_id, model, endpoint_id, provider)
            );
            """),
    ];
}
