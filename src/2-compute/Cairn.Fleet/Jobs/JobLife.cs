using System.Diagnostics;
using Cairn.Contracts.Jobs;
using Cairn.Contracts.Wire;
using Cairn.Fleet.Leasing;
using Cairn.Fleet.Limits;
using Cairn.Fleet.Placement;

namespace Cairn.Fleet.Jobs;

/// <summary>The moves of a job through its phases. Each changes memory and the turn together.</summary>
internal sealed class JobLife(JobBoard board, PlacementQueue queue, LimitWatch limits)
{
    /// <summary>A job whose row is durable is taken in, new or after a restart.</summary>
    public void Arrive(LiveJob job)
    {
        board.Add(job);
        EnqueueIfClear(job);
        limits.Watch(job);
    }

    /// <summary>Queues the wanted ranks once nothing of them is live, and no other step is waited for.</summary>
    public void EnqueueIfClear(LiveJob job)
    {
        if (job is { Wanted: not null, WaitsFor: null, HasEnded: false, Phase: not JobPhase.Stopping }
            && Array.TrueForAll(job.WantedRanks, rank => job.Ranks[rank] is null or { HasEnded: true }))
        {
            queue.Enqueue(job);
        }
    }

    /// <summary>Its first rank runs.</summary>
    public void Run(Turn turn, LiveJob job)
    {
        if (job.Phase is not (JobPhase.Starting or JobPhase.Recovering) || job.Wanted is not null)
            return;
        job.Phase = JobPhase.Running;
        job.Reason = job.Message = null;
        job.StartedAt ??= turn.Now;
        turn.Event(job, "running", job.Attempt == 1 ? "The job runs." : $"The job runs again, attempt {job.Attempt}.");
        limits.Watch(job);
    }

    /// <summary>A person or a limit stops the job: at once where nothing of it runs, else after its tasks' grace.</summary>
    public void Stop(Turn turn, LiveJob job, StopOrder order)
    {
        if (job.HasEnded)
            return;
        job.StopReason = order.Reason;
        job.StopGraceSeconds = order.GraceSeconds;
        Finish(turn, job, order.Reason, order.Message);
    }

    /// <summary>The job is over for this reason; its live tasks are stopped first.</summary>
    public void Finish(Turn turn, LiveJob job, string reason, string message)
    {
        queue.Withdraw(job);
        job.Wanted = null;
        job.Reason = reason;
        job.Message = message;
        if (!job.LiveTasks.Any())
        {
            End(turn, job);
            return;
        }
        if (job.Phase != JobPhase.Stopping)
        {
            job.Phase = JobPhase.Stopping;
            turn.Event(job, "stopping", message);
        }
        turn.Change(job);
        foreach (var task in job.LiveTasks)
            StopTask(turn, task, job.StopReason ?? EndReasons.GangEnded);
    }

    /// <summary>Ends a job none of whose tasks is live, with the reason that is set on it.</summary>
    public void End(Turn turn, LiveJob job)
    {
        Debug.Assert(!job.LiveTasks.Any(), "A job ends after its tasks.");
        job.Phase = job.Reason == EndReasons.Succeeded ? JobPhase.Succeeded : job.StopReason is not null ? JobPhase.Stopped
            : JobPhase.Failed;
        job.EndedAt = turn.Now;
        job.Wanted = null;
        turn.Event(job, "ended", job.Message ?? "");
        turn.Close(job);
        board.Remove(job);
        if (job.PipelineId is not null)
            FollowPipeline(turn, job);
    }

    /// <summary>A step has ended: those that waited for it alone go on, or are over with it.</summary>
    private void FollowPipeline(Turn turn, LiveJob ended)
    {
        foreach (var child in board.Jobs.Where(j => j.PipelineId == ended.PipelineId && j.WaitsFor is not null).ToList())
        {
            var needs = child.WaitsFor!.Split(',').ToList();
            if (child.HasEnded || !needs.Remove(ended.Step!))
                continue;
            if (ended.Phase != JobPhase.Succeeded)
            {
                child.StopReason = EndReasons.Stopped;
                Finish(turn, child, EndReasons.Stopped, $"Step '{ended.Step}', whose outputs it needs, has not succeeded.");
                continue;
            }
            child.WaitsFor = needs.Count == 0 ? null : string.Join(',', needs);
            (child.Reason, child.Message) = child.WaitsFor is null ? (null, null) : ("waits_for", $"Waits for {string.Join(", ", needs)}.");
            turn.Change(child);
            EnqueueIfClear(child);
        }
    }

    public void Succeed(Turn turn, LiveJob job)
    {
        job.Reason = EndReasons.Succeeded;
        job.ExitCode = 0;
        job.Message = job.Nodes == 1 ? "The job succeeded." : $"All {job.Nodes} ranks succeeded.";
        End(turn, job);
    }

    /// <summary>Asks a live task to stop; a task that was asked already is asked again, which a node takes as one.</summary>
    public static void StopTask(Turn turn, LiveTask task, string reason)
    {
        task.State = TaskState.Stopping;
        task.Reason = reason;
        turn.Change(task);
        turn.Send(task, StopMessage(task));
    }

    public static ServerMessage StopMessage(LiveTask task) => new()
    {
        Stop = new StopTask
        {
            TaskId = task.WireId,
            Epoch = task.Epoch,
            GraceSeconds = task.Job.StopGraceSeconds ?? task.Job.Workload.StopGraceSeconds,
            Reason = task.Reason ?? EndReasons.Stopped,
        },
    };

    /// <summary>Takes a task off the board: its lease is settled and its room is free.</summary>
    public void EndTask(Turn turn, LiveTask task, string reason, long billedMicros)
    {
        task.State = TaskState.Ended;
        task.Reason = reason;
        task.EndedAt = turn.Now;
        LeaseSettlement.Finish(turn, task, billedMicros);
        turn.Change(task);
        board.Remove(task);
        queue.Release(task);
        limits.Watch(task.Job);
    }
}

/// <summary>Why a job is to stop, and how long its tasks may take.</summary>
/// <param name="Reason">One of <see cref="EndReasons"/>.</param>
/// <param name="Message">In words.</param>
/// <param name="GraceSeconds">Null leaves it to the workload.</param>
internal sealed record StopOrder(string Reason, string Message, int? GraceSeconds)
{
    public static string InWords(string reason) =>
        reason == EndReasons.Stopped ? "A person stopped the job." : $"The job was stopped: {reason}.";
}
