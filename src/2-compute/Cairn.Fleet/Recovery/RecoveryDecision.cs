using System.Diagnostics;
using Cairn.Contracts.Jobs;
using Cairn.Contracts.Workloads;

namespace Cairn.Fleet.Recovery;

/// <summary>What takes a rank out of a running attempt.</summary>
internal enum RankEnd
{
    /// <summary>Its program or setup failed.</summary>
    Failed,

    /// <summary>Its node fell silent or was removed.</summary>
    Lost,

    /// <summary>Its node is taken out of service; the rank goes elsewhere.</summary>
    Moved,
}

/// <summary>What happens to a job after a rank has gone.</summary>
internal enum RecoveryAction
{
    /// <summary>The job is over; the other ranks are stopped.</summary>
    Fail,

    /// <summary>All ranks stop and are placed again.</summary>
    RestartGang,

    /// <summary>Only the ranks that are gone are placed again.</summary>
    ReplaceRanks,
}

/// <param name="End">What happened to the rank.</param>
/// <param name="Reason">One of <see cref="EndReasons"/>.</param>
/// <param name="ExitCode">The program's, where it has one.</param>
/// <param name="Failures">Attempts that had failed by themselves before.</param>
/// <param name="Losses">Times that machines had been lost before.</param>
internal readonly record struct RecoveryFacts(RankEnd End, string Reason, int? ExitCode, int Failures, int Losses);

/// <param name="Action">What to do.</param>
/// <param name="DelayMicros">How long to wait before the next placement.</param>
internal readonly record struct RecoveryChoice(RecoveryAction Action, long DelayMicros);

/// <summary>
/// Decides what follows the end of a rank, from the workload's retry policy. Pure.
/// A program that fails is tried again at most <see cref="RetrySpec.Max"/> times, the whole gang, after 1 s, 2 s, 4 s … up to a minute;
/// a lost machine at most <see cref="RetrySpec.MaxLost"/> times, by <see cref="RetrySpec.Restart"/>, at once; a drained machine always.
/// </summary>
internal static class RecoveryDecision
{
    private const long SecondMicros = 1_000_000;
    private const long LongestDelayMicros = 60 * SecondMicros;

    public static RecoveryChoice Decide(RetrySpec policy, in RecoveryFacts facts) => facts.End switch
    {
        RankEnd.Failed => Retries(policy, facts) ? new(RecoveryAction.RestartGang, Delay(facts.Failures)) : new(RecoveryAction.Fail, 0),
        RankEnd.Lost => facts.Losses < policy.MaxLost ? new(AfterLoss(policy), 0) : new(RecoveryAction.Fail, 0),
        RankEnd.Moved => new(AfterLoss(policy), 0),
        _ => throw new UnreachableException(),
    };

    private static RecoveryAction AfterLoss(RetrySpec policy) =>
        policy.Restart == RestartPolicy.Gang ? RecoveryAction.RestartGang : RecoveryAction.ReplaceRanks;

    private static bool Retries(RetrySpec policy, in RecoveryFacts facts)
    {
        if (facts.Failures >= policy.Max || facts.Reason is EndReasons.MaxDuration)
            return false;
        return policy.OnExitCodes.Count == 0
            || (facts.Reason == EndReasons.ExitCode && facts.ExitCode is { } code && policy.OnExitCodes.Contains(code));
    }

    private static long Delay(int failures) => Math.Min(LongestDelayMicros, SecondMicros << Math.Min(failures, 6));
}
