using Cairn.Contracts.Ids;
using Microsoft.AspNetCore.Http;

namespace Cairn.Fleet.Logs;

/// <summary>
/// What reading logs asks of the jobs. Whoever starts an attempt or ends a task or a job calls <see cref="LogFollowers.Wake(JobId)"/> after
/// the commit: a follower sleeps until bytes come or that is called, and only then asks again.
/// </summary>
internal interface IJobLogs
{
    /// <summary>The job by id, or the newest by name, that the caller of the request may see; null where there is none.</summary>
    ValueTask<JobLogs?> FindAsync(string job, HttpContext request, CancellationToken cancellationToken);

    /// <summary>The same job, later.</summary>
    ValueTask<JobLogs?> FindAsync(JobId job, CancellationToken cancellationToken);
}

/// <param name="Ended">No attempt will follow.</param>
/// <param name="Parts">Every rank of every attempt so far.</param>
internal sealed record JobLogs(JobId Job, bool Ended, IReadOnlyList<JobLogPart> Parts)
{
    /// <summary>When it ended; null where that is not known. Bytes that are missing long after it never come.</summary>
    public DateTimeOffset? EndedAt { get; init; }
}

/// <param name="Ended">The task has ended, or its node is lost.</param>
/// <param name="LogBytes">
/// Length of the whole log, as the task's last report gave it; null where the task still runs or nobody will ever know (a lost node).
/// Who reads the log of an ended job waits for the missing bytes, for a bounded time.
/// </param>
internal sealed record JobLogPart(int Attempt, int Rank, bool Ended, long? LogBytes);
