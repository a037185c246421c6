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
        var jobs = root.EnumerateDirectories().SelectMany(Measure).OrderBy(job => job.LastWrite).ToList();
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

    /// <summary>The jobs whose logs lie in a shard.</summary>
    private static IEnumerable<JobSize> Measure(DirectoryInfo shard) => shard.EnumerateFiles()
        .Select(file => (Log: LogFiles.Parse(file.Name), File: file))
        .Where(entry => entry.Log is not null)
        .GroupBy(entry => entry.Log!.Value.Job, entry => entry.File)
        .Select(files => new JobSize(files.Key, files.Sum(file => file.Length), files.Max(file => file.LastWriteTimeUtc)));

    [LoggerMessage(LogLevel.Information, "The logs of job {Job}, {Bytes} bytes, were deleted after {Quiet} without a line")]
    private partial void Deleted(JobId job, long bytes, TimeSpan quiet);

    [LoggerMessage(LogLevel.Warning,
        "The logs of jobs that wrote in the last hour have {Bytes} bytes, more than the limit of {Limit}; none of them is deleted")]
    private partial void StillTooLarge(long bytes, long limit);

    private sealed record JobSize(JobId Job, long Bytes, DateTimeOffset LastWrite);
}
