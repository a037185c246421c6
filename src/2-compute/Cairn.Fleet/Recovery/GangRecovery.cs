using Cairn.Contracts.Jobs;
using Cairn.Contracts.Wire;
using Cairn.Contracts.Workloads;
using Cairn.Fleet.Jobs;
using Cairn.Fleet.Leasing;
using Cairn.Fleet.Placement;

namespace Cairn.Fleet.Recovery;

/// <summary>
/// What a gang does when a rank goes.
/// (1) The decision: over, the whole gang again, or only the ranks that went. (2) The ranks that must stop are asked to. (3) Once none of
/// them is live, the wanted ranks go back to the queue under a new epoch; until then the job waits in <see cref="JobPhase.Recovering"/>.
/// What goes wrong between (1) and the next placement belongs to the same incident and is counted once.
/// </summary>
internal sealed class GangRecovery(JobLife life, PlacementQueue queue, WaitingReplans replans, NodeSight sight)
{
    /// <summary>A task of the job has ended, and not well.</summary>
    public void RankGone(Turn turn, LiveTask task, RankEnd end, string message)
    {
        var job = task.Job;
        if (job.Phase == JobPhase.Stopping || job.Wanted == "")
        {
            ContinueIfClear(turn, job);
            return;
        }

        // (1)
        var sameIncident = job.Wanted is not null && end != RankEnd.Failed;
        var choice = sameIncident
            ? new RecoveryChoice(RecoveryAction.ReplaceRanks, 0)
            : RecoveryDecision.Decide(job.Workload.Retries, new RecoveryFacts(end, task.Reason!, task.ExitCode, job.Failures, job.Losses));
        if (choice.Action == RecoveryAction.Fail)
        {
            job.ExitCode = task.ExitCode;
            life.Finish(turn, job, task.Reason!, message);
            return;
        }
        if (!sameIncident)
            Count(job, end);
        queue.Withdraw(job);
        job.Wanted = choice.Action == RecoveryAction.RestartGang ? "" : LiveJob.WantedOf(job.WantedRanks.Append(task.Rank).Distinct());
        job.NotBefore = Math.Max(job.NotBefore, Math.Max(turn.Now + choice.DelayMicros, StopsBy(task, end, turn.Now)));
        job.Phase = JobPhase.Recovering;
        job.Reason = task.Reason;
        job.Message = message;
        turn.Event(job, EventKind(end), message);

        // (2)
        if (job.Wanted == "")
        {
            foreach (var other in job.LiveTasks.Where(t => t.State != TaskState.Stopping))
                JobLife.StopTask(turn, other, EndReasons.GangEnded);
        }
        ContinueIfClear(turn, job);
    }

    /// <summary>Whether a rank that failed did so because of another: one whose node has no connection, or is being drained.</summary>
    public RankEnd CauseOf(LiveTask failed)
    {
        foreach (var other in failed.Job.LiveTasks)
        {
            if (other is { State: TaskState.Stopping, Reason: EndReasons.NodeDrained })
                return RankEnd.Moved;
            if (sight.IsAway(other.NodeId))
                return RankEnd.Lost;
        }
        return RankEnd.Failed;
    }

    /// <summary>A node fell silent for too long or was removed: its leases are void, billed up to its last sign of life.</summary>
    public void NodeGone(Turn turn, IReadOnlyList<LiveTask> tasks, string reason, long nodeSeenMicros)
    {
        foreach (var task in tasks)
        {
            if (task.HasEnded)
                continue;
            life.EndTask(turn, task, reason, BilledTime.SoFar(task.Times, nodeSeenMicros));
            RankGone(turn, task, RankEnd.Lost, reason == EndReasons.NodeRemoved
                ? $"Node {task.Node} was removed while it held rank {task.Rank}."
                : $"Node {task.Node} with rank {task.Rank} has been silent for too long.");
        }
    }

    /// <summary>The node holds nothing of a task that it had begun: its machine was restarted or its disk was lost.</summary>
    public void TaskForgotten(Turn turn, LiveTask task)
    {
        life.EndTask(turn, task, EndReasons.Unknown, task.BilledMicros);
        RankGone(turn, task, RankEnd.Lost, $"Node {task.Node} came back without rank {task.Rank}, which it had begun.");
    }

    /// <summary>A task that was asked to stop is not on its node any more: it has stopped, or never began.</summary>
    public void StoppedUnheard(Turn turn, LiveTask task)
    {
        var moved = task.Reason == EndReasons.NodeDrained;
        life.EndTask(turn, task, task.Reason ?? EndReasons.Stopped, task.BilledMicros);
        if (moved)
            RankGone(turn, task, RankEnd.Moved, $"Rank {task.Rank} has left node {task.Node}.");
        else
            ContinueIfClear(turn, task.Job);
    }

    /// <summary>A node is taken out of service: its tasks stop with grace and go elsewhere.</summary>
    public static void Drain(Turn turn, IReadOnlyList<LiveTask> tasks)
    {
        foreach (var task in tasks.Where(t => t.State != TaskState.Stopping))
            JobLife.StopTask(turn, task, EndReasons.NodeDrained);
    }

    // (3)
    public void ContinueIfClear(Turn turn, LiveJob job)
    {
        if (job.HasEnded)
            return;
        if (job.Phase == JobPhase.Stopping)
        {
            if (!job.LiveTasks.Any())
                life.End(turn, job);
            return;
        }
        if (job.Wanted is not null)
            replans.Refresh(turn, job);
        life.EnqueueIfClear(job);
        turn.Change(job);
    }

    /// <summary>
    /// A lost node may go on working until it notices that it cannot renew its lease. Where two attempts must never work at once, the next
    /// one waits that long, from the last moment at which a renewal can have left.
    /// </summary>
    private long StopsBy(LiveTask task, RankEnd end, long nowMicros) =>
        end == RankEnd.Lost && task.Job.Workload.Retries.Disconnected == DisconnectedPolicy.Stop && task.Reason == EndReasons.NodeLost
            ? sight.LastSeen(task.NodeId, nowMicros) + sight.LeaseMicros + NodeSight.LeaseMarginMicros
            : 0;

    private static void Count(LiveJob job, RankEnd end)
    {
        if (end == RankEnd.Failed)
            job.Failures++;
        else if (end == RankEnd.Lost)
            job.Losses++;
    }

    private static string EventKind(RankEnd end) => end switch
    {
        RankEnd.Lost => "node_lost",
        RankEnd.Moved => "moved",
        _ => "retry",
    };
}
