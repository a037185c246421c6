using Cairn.Contracts.Jobs;
using Cairn.Node.Durable;
using Cairn.Node.Facts;
using Microsoft.Extensions.Logging;

namespace Cairn.Node.Tasks;

/// <summary>
/// Holds tasks to the disk they asked for, and keeps room for the daemon itself: when the node's disk runs low the largest running task
/// is stopped as out of disk, one per look. Once an hour it deletes checkpoints that no job came back for.
/// </summary>
internal sealed partial class DiskWatch(NodeSurroundings node, TaskTable table)
{
    private const int GraceSeconds = 5;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(node.Options.DiskCheckSeconds), node.Clock);
        var swept = node.Clock.GetTimestamp();
        SweepCheckpoints();
        while (await timer.WaitForNextTickAsync(cancellationToken))
        {
            Look();
            if (node.Clock.GetElapsedTime(swept) < TimeSpan.FromHours(1))
                continue;
            swept = node.Clock.GetTimestamp();
            SweepCheckpoints();
        }
    }

    private void SweepCheckpoints()
    {
        var oldest = node.Clock.GetUtcNow().UtcDateTime.AddDays(-node.Options.CheckpointDays);
        var used = table.All.Where(task => task.IsLive).Select(task => task.JobId).ToHashSet(StringComparer.OrdinalIgnoreCase);
        foreach (var folder in new DirectoryInfo(Path.Combine(node.WorkRoot, "checkpoints")).EnumerateDirectories())
        {
            if (folder.LastWriteTimeUtc < oldest && !used.Contains(folder.Name))
                FileTree.Delete(folder.FullName);
        }
    }

    private void Look()
    {
        var running = table.All.Where(task => task.IsLive).ToList();
        if (running.Count == 0)
            return;
        var free = MachineFacts.FreeDisk(node.WorkRoot);
        var isLow = free < node.Options.DiskReserveBytes;
        var measured = running.Where(task => isLow || task.DiskLimitBytes > 0)
            .Select(task => (Task: task, Used: FileTree.Size(task.WorkFolder))).ToList();
        foreach (var (task, used) in measured.Where(m => m.Task.DiskLimitBytes > 0 && m.Used > m.Task.DiskLimitBytes))
            task.Stop(new StopOrder(EndReasons.OutOfDisk, $"the task used {used} bytes of disk and asked for {task.DiskLimitBytes}", GraceSeconds));
        if (!isLow)
            return;
        node.Cache.Trim(0);
        var (largest, bytes) = measured.MaxBy(m => m.Used);
        LogLow(node.Logger, free, largest.Id);
        largest.Stop(new StopOrder(EndReasons.OutOfDisk, $"the node's disk ran low ({free} bytes were free) and the task used most, {bytes} bytes", GraceSeconds));
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "The disk runs low ({Free} bytes free); stopping task {Task}, which uses most")]
    private static partial void LogLow(ILogger logger, long free, string task);
}
