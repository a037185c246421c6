using Cairn.Contracts.Ids;
using Cairn.Contracts.Problems;
using Cairn.Contracts.Units;
using Cairn.Fleet.Leasing;
using Cairn.State;

namespace Cairn.Fleet.Tests.Jobs;

/// <summary>
/// A ledger in the small, in rows: it refuses what a project cannot pay, and fails the write when a charge does not go on from the last
/// one.
/// </summary>
internal sealed class RecordingFunds : IFundsHold
{
    public static readonly Migration Migration = new("test_funds", 1,
        """
        CREATE TABLE test_balances (project_id TEXT PRIMARY KEY, available BIGINT NOT NULL);
        CREATE TABLE test_holds (job_id TEXT PRIMARY KEY, project_id TEXT NOT NULL, held BIGINT NOT NULL, closed BIGINT NOT NULL);
        CREATE TABLE test_charges (lease_id TEXT PRIMARY KEY, job_id TEXT NOT NULL, total BIGINT NOT NULL, billed BIGINT NOT NULL,
            finals BIGINT NOT NULL);
        """);

    /// <summary>Fails the next write that settles something, once.</summary>
    public StoreException? Fault { get; set; }

    public Problem? Hold(WriteSession session, JobId job, ProjectId project, Money unspent)
    {
        var held = session.Query<long>("SELECT held FROM test_holds WHERE job_id = @job", new { job });
        var more = unspent.Micros - (held.Count > 0 ? held[0] : 0);
        if (more <= 0)
            return null;
        var changed = session.Execute(
            "UPDATE test_balances SET available = available - @more WHERE project_id = @project AND available >= @more",
                new { more, project });
        if (changed == 0)
            return new Problem(ProblemCodes.InsufficientFunds, $"{new Money(more)} more is needed.");
        session.Execute(
            """
            INSERT INTO test_holds (job_id, project_id, held, closed) VALUES (@job, @project, @more, 0)
            ON CONFLICT (job_id) DO UPDATE SET held = test_holds.held + @more
            """, new { job, project, more });
        return null;
    }

    public void Settle(WriteSession session, IReadOnlyList<LeaseUsage> usages)
    {
        if (usages.Count > 0 && Fault is { } fault)
        {
            Fault = null;
            throw fault;
        }
        foreach (var usage in usages)
        {
            var rows = session.Query<(long Total, long Finals)>("SELECT total, finals FROM test_charges WHERE lease_id = @LeaseId", usage);
            var (before, finals) = rows.Count > 0 ? rows[0] : (0, 0);
            if (before != usage.Before.Micros || usage.Total < usage.Before || finals > 0)
                throw new InvalidOperationException(
                    $"Lease {usage.LeaseId}: charged {before} ({finals} final), settled from {usage.Before} to {usage.Total}.");
            session.Execute(
                """
                INSERT INTO test_charges (lease_id, job_id, total, billed, finals) VALUES (@LeaseId, @JobId, @Total, @BilledMicros, @Finals)
                ON CONFLICT (lease_id) DO UPDATE SET total = @Total, billed = @BilledMicros, finals = @Finals
                """, new { usage.LeaseId, usage.JobId, usage.Total, usage.BilledMicros, Finals = usage.Final ? 1 : 0 });
            session.Execute("UPDATE test_holds SET held = held - @Amount WHERE job_id = @JobId", new { usage.Amount, usage.JobId });
        }
    }

    public void Close(WriteSession session, IReadOnlyList<JobId> jobs)
    {
        foreach (var job in jobs)
        {
            session.Execute(
                """
                UPDATE test_balances SET available = available + (SELECT held FROM test_holds WHERE job_id = @job)
                WHERE project_id = (SELECT project_id FROM test_holds WHERE job_id = @job)
                """, new { job });
            session.Execute("UPDATE test_holds SET held = 0, closed = closed + 1 WHERE job_id = @job", new { job });
        }
    }
}
