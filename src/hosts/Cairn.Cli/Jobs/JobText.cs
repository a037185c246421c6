using Cairn.Cli.CommandLine;
using Cairn.Contracts.Api;
using Cairn.Contracts.Jobs;

namespace Cairn.Cli.Jobs;

/// <summary>How a job reads in tables and sentences.</summary>
internal static class JobText
{
    public static string Where(JobView job) =>
        job.Provider is null
            ? Words.Escape(job.Reason is null ? "–" : $"waits: {job.Reason}")
            : Words.Escape(job.Region is null ? job.Provider : $"{job.Provider}/{job.Region}") + Words.SimulatedMark(job.Simulated);

    public static string Ran(JobView job, DateTimeOffset now) =>
        job.StartedAt is not { } started ? "–" : Words.Duration((job.EndedAt ?? now) - started);

    public static bool HasEnded(JobPhase phase) => phase is JobPhase.Succeeded or JobPhase.Failed or JobPhase.Stopped;

    /// <summary>What <c>run</c> and <c>wait</c> end with.</summary>
    public static int ExitCode(JobPhase phase) => phase switch
    {
        JobPhase.Failed => ExitCodes.JobFailed,
        JobPhase.Stopped => ExitCodes.JobStopped,
        _ => ExitCodes.Success,
    };

    /// <summary>How it ended, in one line.</summary>
    public static string Outcome(JobView job)
    {
        var reason = job.Reason is null or EndReasons.Succeeded ? "" : $" ({job.Reason}{(job.Message is null ? "" : ": " + job.Message)})";
        var ran = job.StartedAt is { } started && job.EndedAt is { } ended ? $" after {Words.Duration(ended - started)}" : "";
        return $"{job.Name} {EnumWords.Of(job.Phase)}{ran}, {job.Cost}{reason}";
    }
}
