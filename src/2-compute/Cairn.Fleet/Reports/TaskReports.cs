using Cairn.Contracts.Ids;
using Cairn.Contracts.Jobs;
using Cairn.Contracts.Wire;
using Cairn.Fleet.Jobs;
using Cairn.Fleet.Leasing;
using Cairn.Fleet.Recovery;

namespace Cairn.Fleet.Reports;

/// <summary>
/// Applies what nodes report. (1) A report of another node or epoch is stale: its task is over. (2) A report that was applied is
/// acknowledged again and changes nothing. (3) Otherwise the task moves on, and the job with it. Acknowledgements follow the commit.
/// </summary>
internal sealed class TaskReports(JobBoard board, JobLife life, GangRecovery recovery, GangBarrier barrier)
{
    private const long FlushMicros = 1_000_000;

    // Most tasks prepare for a moment only: the state is written with the next tick, if it still holds then.
    private readonly HashSet<LiveTask> _unwritten = [];
    private long _flushAt = long.MaxValue;

    public void Apply(Turn turn, FleetInput.ReportArrived arrived)
    {
        var (node, report) = (arrived.Node, arrived.Report);
        if (!TypedId.TryParse<TaskId>(report.TaskId, out var id) || !TryFind(id, out var task) || task.NodeId != node
            || task.Epoch != report.Epoch)
        {
            turn.Sends.Add((node, Ack(report, stale: true)));
            return;
        }
        if (report.Sequence <= task.ReportSequence || task.HasEnded)
        {
            turn.Sends.Add((node, Ack(report, stale: task.HasEnded && report.Sequence > task.ReportSequence)));
            return;
        }
        task.ReportSequence = report.Sequence;
        if (report.Phase > TaskPhase.Preparing)
            _unwritten.Remove(task);
        Advance(turn, task, report, arrived.HeardMicros);
        turn.Sends.Add((node, Ack(report, stale: false)));
    }

    /// <summary>When states that were not worth a write of their own are written.</summary>
    public long FlushAt => _flushAt;

    public void FlushWhenDue(Turn turn)
    {
        if (turn.Now < _flushAt)
            return;
        foreach (var task in _unwritten)
            turn.Change(task);
        Clear();
    }

    public void Clear()
    {
        _unwritten.Clear();
        _flushAt = long.MaxValue;
    }

    public static ServerMessage Ack(TaskReport report, bool stale) => new()
    {
        ReportAck = new ReportAck { TaskId = report.TaskId, Epoch = report.Epoch, Sequence = report.Sequence, Stale = stale },
    };

    private bool TryFind(TaskId id, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out LiveTask? task) =>
        board.TryGetTask(id, out task) || board.TryGetEnded(id, out task);

    private void Advance(Turn turn, LiveTask task, TaskReport report, long heard)
    {
        switch (report.Phase)
        {
            case TaskPhase.Assigned or TaskPhase.Preparing:
                MoveTo(task, report.Phase == TaskPhase.Assigned ? TaskState.Assigned : TaskState.Preparing);
                if (_unwritten.Add(task) && _unwritten.Count == 1)
                    _flushAt = turn.Now + FlushMicros;
                break;
            case TaskPhase.Ready:
                MoveTo(task, TaskState.Ready);
                turn.Change(task);
                barrier.Check(turn, task.Job);
                break;
            case TaskPhase.Running:
                MoveTo(task, TaskState.Running);
                task.RunningAt ??= heard;
                turn.Change(task);
                life.Run(turn, task.Job);
                break;
            case TaskPhase.Ended:
                End(turn, task, report, heard);
                break;
        }
    }

    /// <summary>A task that was asked to stop stays so until it has ended, whatever it reports on its way.</summary>
    private static void MoveTo(LiveTask task, TaskState state)
    {
        if (task.State < state && task.State != TaskState.Stopping)
            task.State = state;
    }

    private void End(Turn turn, LiveTask task, TaskReport report, long heard)
    {
        var asked = task.State == TaskState.Stopping ? task.Reason : null;
        if (task.RunningAt is null && report.ElapsedMicros > 0)
        {
            task.RunningAt = Math.Max(task.GrantedAt, heard - report.ElapsedMicros);
            life.Run(turn, task.Job);
        }
        task.ExitCode = report.HasExitCode ? report.ExitCode : null;
        task.Signal = report.HasSignal ? report.Signal : null;
        task.Message = report.Message.Length > 0 ? report.Message : null;
        task.LogBytes = report.LogBytes;
        var reason = report.EndReason.Length > 0 ? report.EndReason : EndReasons.Unknown;
        life.EndTask(turn, task, reason, BilledTime.Ended(task.Times, heard, report.ElapsedMicros));
        Follow(turn, task, asked);
    }

    private void Follow(Turn turn, LiveTask task, string? asked)
    {
        var job = task.Job;
        if (job.Phase == JobPhase.Stopping)
            recovery.ContinueIfClear(turn, job);
        else if (asked == EndReasons.NodeDrained && !task.Succeeded)
            recovery.RankGone(turn, task, RankEnd.Moved, $"Rank {task.Rank} leaves node {task.Node}, which is being drained.");
        else if (asked is not null && !task.Succeeded)
            recovery.ContinueIfClear(turn, job);
        else if (!task.Succeeded)
            Fail(turn, task);
        else if (job.Wanted is not null)
            recovery.ContinueIfClear(turn, job);
        else if (Array.TrueForAll(job.Ranks, t => t is { Succeeded: true }))
            life.Succeed(turn, job);
    }

    private void Fail(Turn turn, LiveTask task)
    {
        if (task.Reason is EndReasons.MaxDuration)
        {
            life.Stop(turn, task.Job, new StopOrder(EndReasons.MaxDuration, "The job has run for its longest duration.", null));
            return;
        }
        // What only a lost connection or a restarted machine explains is no failure of the program.
        var end = task.Reason is EndReasons.Unknown or EndReasons.LeaseExpired ? RankEnd.Lost : recovery.CauseOf(task);
        recovery.RankGone(turn, task, end, EndInWords.Of(task));
    }
}
