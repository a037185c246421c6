using Cairn.Contracts.Ids;
using Cairn.Fleet.Link;

namespace Cairn.Fleet.Logs;

/// <summary>
/// Brings a job's lines to one reader. (1) It begins to listen before it looks, so nothing falls between; (2) finds where to begin;
/// (3) delivers what is there, merged; (4) ends, or sleeps until a log grew or the job changed, and goes back to (3). A reader that does
/// not follow waits too where the job has ended: a node tells the end before the last lines where it was away.
/// </summary>
internal sealed class LogDelivery(LogFiles files, LogFollowers followers, IJobLogs jobs, TimeProvider time)
{
    private static readonly TimeSpan s_keepAlive = TimeSpan.FromSeconds(30);

    public async Task DeliverAsync(JobLogs job, LogQuery query, ILogSink sink, CancellationToken cancellationToken)
    {
        // (1)
        using var follower = query.Follow || HasEnded(job, query) ? followers.Follow(job.Job) : null;
        if (query.Follow)
            job = await jobs.FindAsync(job.Job, cancellationToken) ?? job;
        // (2)
        var parts = Parts(job, query);
        var ends = parts.ToDictionary(part => part, part => files.Length(KeyOf(job.Job, part)));
        var cursor = query.Cursor
            ?? (query.Tail is { } lines ? await LogTail.FindAsync(files, job.Job, ends, lines, cancellationToken) : new LogCursor());
        await sink.BeginAsync(cancellationToken);
        long? endSeenAt = null;
        while (true)
        {
            // (3)
            await DeliverBatchAsync(job.Job, parts, query, cursor, sink, cancellationToken);
            // (4)
            if (follower is null || IsComplete(job, query, cursor))
                break;
            var grace = Grace(job, query, ref endSeenAt);
            if (grace <= TimeSpan.Zero)
                break;
            if (!await WaitAsync(follower, grace < s_keepAlive ? grace : s_keepAlive, cancellationToken))
                await sink.KeepAliveAsync(cancellationToken);
            var (grown, changed) = follower.Take();
            if (changed)
                job = await jobs.FindAsync(job.Job, cancellationToken) ?? job;
            parts = changed ? Parts(job, query) : [.. grown.Select(key => new LogPart(key.Attempt, key.Rank)).Where(query.Wants)];
        }
        await sink.EndAsync(cancellationToken);
    }

    private async Task DeliverBatchAsync(
        JobId job, IReadOnlyCollection<LogPart> parts, LogQuery query, LogCursor cursor, ILogSink sink, CancellationToken cancellationToken)
    {
        using var merge = new LogMerge();
        foreach (var part in parts)
        {
            var key = KeyOf(job, part);
            var (from, to) = (cursor[part], files.Length(key));
            if (from < to && files.OpenRead(key) is { } handle)
                await merge.AddAsync(new LogPartReader(handle, part, from, to), cancellationToken);
        }
        var wrote = false;
        while (merge.Head is { } head)
        {
            cursor[head.Part] = head.Next;
            if (head.Current.UnixMicros >= query.SinceMicros)
            {
                await sink.WriteAsync(head.Part, head.Current, cursor, cancellationToken);
                wrote = true;
            }
            await merge.AdvanceAsync(cancellationToken);
        }
        if (wrote)
            await sink.FlushAsync(cursor, cancellationToken);
    }

    private List<LogPart> Parts(JobLogs job, LogQuery query) =>
    [
        .. job.Parts.Select(part => new LogPart(part.Attempt, part.Rank))
            .Concat(files.Of(job.Job).Select(key => new LogPart(key.Attempt, key.Rank)))
            .Where(query.Wants).Distinct(),
    ];

    /// <summary>No line will come any more, and all of them were delivered.</summary>
    private bool IsComplete(JobLogs job, LogQuery query, LogCursor cursor)
    {
        if (!HasEnded(job, query))
            return false;
        var limit = files.Options.MaxTaskBytes;
        return job.Parts.Where(part => query.Wants(new LogPart(part.Attempt, part.Rank)))
            .All(part => part.LogBytes is null || cursor[new LogPart(part.Attempt, part.Rank)] >= Math.Min(part.LogBytes.Value, limit));
    }

    private static bool HasEnded(JobLogs job, LogQuery query)
    {
        if (job.Ended)
            return true;
        var mine = job.Parts.Where(part => query.Wants(new LogPart(part.Attempt, part.Rank))).ToArray();
        // A later attempt shows that no rank of an earlier one will be placed again.
        return query.Attempt is { } attempt && mine.Length > 0 && mine.All(part => part.Ended)
            && job.Parts.Any(part => part.Attempt > attempt);
    }

    /// <summary>How much longer to wait for the last bytes of what has ended; without end while it runs.</summary>
    private TimeSpan Grace(JobLogs job, LogQuery query, ref long? endSeenAt)
    {
        if (!HasEnded(job, query))
            return TimeSpan.MaxValue;
        endSeenAt ??= time.GetTimestamp();
        var (seen, since) = (time.GetElapsedTime(endSeenAt.Value), job.EndedAt is { } at ? time.GetUtcNow() - at : TimeSpan.Zero);
        return TimeSpan.FromSeconds(files.Options.EndGraceSeconds) - (seen > since ? seen : since);
    }

    private async Task<bool> WaitAsync(LogFollower follower, TimeSpan most, CancellationToken cancellationToken)
    {
        using var timer = new CancellationTokenSource(most, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, cancellationToken);
        try
        {
            await follower.WaitAsync(either.Token);
            return true;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }

    private static TaskLogKey KeyOf(JobId job, LogPart part) => new(job, part.Attempt, part.Rank);
}
