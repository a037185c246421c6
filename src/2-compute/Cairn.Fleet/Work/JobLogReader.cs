using Cairn.Contracts.Ids;
using Cairn.Fleet.Jobs;
using Cairn.Fleet.Logs;
using Cairn.State;
using Microsoft.AspNetCore.Http;

namespace Cairn.Fleet.Work;

/// <summary>Which logs a job has.</summary>
internal sealed class JobLogReader(JobFinder finder, Store store) : IJobLogs
{
    public async ValueTask<JobLogs?> FindAsync(string job, HttpContext request, CancellationToken cancellationToken) =>
        await finder.FindIdAsync(job, request, cancellationToken) is { } id ? await FindAsync(id, cancellationToken) : null;

    public async ValueTask<JobLogs?> FindAsync(JobId job, CancellationToken cancellationToken)
    {
        var (found, ended, parts) = await store.ReadAsync(
            session => (
                session.Query<long?>("SELECT ended_at FROM jobs WHERE id = @job", new { job }) is { Count: 1 } rows,
                session.QuerySingleOrDefault<long?>("SELECT ended_at FROM jobs WHERE id = @job", new { job }),
                session.Query<LogPartRow>("SELECT attempt, rank, ended_at, log_bytes FROM tasks WHERE job_id = @job ORDER BY attempt, rank",
                    new { job })),
            cancellationToken);
        return found
            ? new JobLogs(job, ended is not null,
                [.. parts.Select(p => new JobLogPart(p.Attempt, p.Rank, p.EndedAt is not null, p.LogBytes))])
            {
                EndedAt = ended is { } micros ? Micros.ToTime(micros) : null,
            }
            : null;
    }

    private sealed record LogPartRow(int Attempt, int Rank, long? EndedAt, long? LogBytes);
}
