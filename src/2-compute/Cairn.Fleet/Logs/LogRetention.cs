using Cairn.Contracts.Ids;
using Microsoft.Extensions.Logging;

namespace Cairn.Fleet.Logs;

/// <summary>Deletes logs that nobody wrote to for long, and the longest quiet ones where all logs together are too large.</summary>
internal sealed partial class LogRetention(LogFiles files, LogOptions options, TimeProvider time, ILogger<LogRetention> logger)
{
    private static readonly TimeSpan s_youngest = TimeSpan.FromHours(1);

    public Task SweepAsync(CancellationToken cancellationToken) => Task.Run(() => Sweep(cancellationToken), cancellationToken);

    private void Sweep(CancellationToken cancellationToken)
    {
        var root = new DirectoryInfo(options.Folder);
        if (!root.Exists)
            return;
        var now = time.GetUtcNow();
        var jobs = root.EnumerateDirectories().Select(Measure).OfType<JobSize>().OrderBy(job => job.LastWrite).ToList();
        var total = jobs.Sum(job => job.Bytes);
        foreach (var job in jobs)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var quiet = now - job.LastWrite;
            var tooOld = quiet > TimeSpan.FromDays(options.RetainDays);
            if (!tooOld && (total <= options.MaxTotalBytes || quiet < s_youngest))
                continue;
            files.Delete(job.Job);
            total -= job.Bytes;
            Deleted(job.Job, job.Bytes, quiet);
        }
        if (total > options.MaxTotalBytes)
            StillTooLarge(total, options.MaxTotalBytes);
    }

    private static JobSize? Measure(DirectoryInfo folder)
    {
        if (!TypedId.TryParse<JobId>(folder.Name, out var job))
            return null;
        var (bytes, last) = (0L, folder.LastWriteTimeUtc);
        foreach (var file in folder.EnumerateFiles())
        {
            bytes += file.Length;
            last = file.LastWriteTimeUtc > last ? file.LastWriteTimeUtc : last;
        }
        return new JobSize(job, bytes, last);
    }

    [LoggerMessage(LogLevel.Information, "The logs of job {Job}, {Bytes} bytes, were deleted after {Quiet} without a line")]
    private partial void Deleted(JobId job, long bytes, TimeSpan quiet);

    [LoggerMessage(LogLevel.Warning,
        "The logs of jobs that wrote in the last hour have {Bytes} bytes, more than the limit of {Limit}; none of them is deleted")]
    private partial void StillTooLarge(long bytes, long limit);

    private sealed record JobSize(JobId Job, long Bytes, DateTimeOffset LastWrite);
}
