using Cairn.Contracts.Jobs;
using Cairn.Fleet.Jobs;

namespace Cairn.Fleet.Reports;

/// <summary>How a task ended, for people.</summary>
internal static class EndInWords
{
    public static string Of(LiveTask task)
    {
        var who = task.Job.Nodes == 1 ? "The program" : $"Rank {task.Rank}";
        var how = task.Reason switch
        {
            EndReasons.ExitCode => $"{who} ended with exit code {task.ExitCode}",
            EndReasons.Signal => $"{who} was ended by signal {task.Signal}",
            EndReasons.OutOfMemory => $"{who} ran out of memory",
            EndReasons.OutOfDisk => $"{who} ran out of disk",
            EndReasons.SetupFailed => task.ExitCode is { } code ? $"{who}'s setup ended with exit code {code}" : $"{who}'s setup failed",
            EndReasons.WorkdirFailed => $"{who}'s working directory could not be made",
            EndReasons.StartFailed => $"{who} could not be started",
            EndReasons.LeaseExpired => $"{who} stopped when its lease ran out",
            EndReasons.Unknown => $"{who} ended, and its node cannot say how",
            _ => $"{who} ended: {task.Reason}",
        };
        return task.Message is null ? $"{how}, on node {task.Node}." : $"{how}, on node {task.Node}: {task.Message}";
    }
}
