using Cairn.Contracts.Ids;
using Cairn.Contracts.Jobs;
using Cairn.Contracts.Wire;
using Cairn.Fleet.Jobs;
using Cairn.Fleet.Reports;

namespace Cairn.Fleet.Recovery;

/// <summary>
/// What a node that has come back must hear. Of what it holds: (1) a task whose epoch counts goes on, and the orders that it may have
/// missed
/// are repeated; (2) a task that ended there under its epoch may finish speaking; (3) anything else is forgotten. Of what it should hold
/// and does not: (4) what it had not begun is started again; (5) what it had begun is lost, as if its node were.
/// </summary>
internal sealed class ReplayDecision(FleetParts parts)
{
    public void Apply(Turn turn, FleetInput.NodeAttached attached)
    {
        var forget = new List<string>();
        var starts = new List<LiveTask>();
        var commands = new List<ServerMessage>();
        var held = new HashSet<TaskId>();
        foreach (var task in attached.Held)
        {
            if (!TypedId.TryParse<TaskId>(task.TaskId, out var id) || !IsOurs(attached, id, task.Epoch, out var live))
                forget.Add(task.TaskId);                    // (3)
            else if (live is not null)
                Repeat(turn, live, task, commands);         // (1)
            held.Add(id);
        }
        foreach (var task in parts.Board.TasksOn(attached.Node).Where(t => !held.Contains(t.Id) && !t.HasEnded))
            Missing(turn, task, starts);
        turn.Replays.Add(new Replay(attached.Node, forget, starts, commands, attached.Reply));
    }

    private bool IsOurs(FleetInput.NodeAttached attached, TaskId id, long epoch, out LiveTask? live)
    {
        if (parts.Board.TryGetTask(id, out live))
            return live.NodeId == attached.Node && live.Epoch == epoch;
        // (2)
        return attached.EndedHere.Contains(id)
            || (parts.Board.TryGetEnded(id, out var ended) && ended.NodeId == attached.Node && ended.Epoch == epoch
                && MayFinishSpeaking(ended));
    }

    /// <summary>Whether a task ended by its own report, and not because its node was given up.</summary>
    public static bool MayFinishSpeaking(LiveTask ended) =>
        ended.Reason is not (EndReasons.NodeLost or EndReasons.NodeRemoved);

    private void Repeat(Turn turn, LiveTask task, HeldTask held, List<ServerMessage> commands)
    {
        if (held.Phase is TaskPhase.Running or TaskPhase.Ended && task.RunningAt is null)
            task.BeganUnheard = true;
        if (held.Phase == TaskPhase.Ready && task.State < TaskState.Ready)
        {
            task.State = TaskState.Ready;
            turn.Change(task);
            parts.Barrier.Check(turn, task.Job);
        }
        else if (task.State == TaskState.Ready && GangBarrier.IsOpen(task.Job))
        {
            commands.Add(GangBarrier.BeginMessage(task, parts.Barrier.Peers(task.Job)));
        }
        else if (task.State == TaskState.Running && task.Job.Attempt > task.Attempt && GangBarrier.IsOpen(task.Job))
        {
            commands.Add(GangBarrier.PeersMessage(task, parts.Barrier.Peers(task.Job)));
        }
        if (task.State == TaskState.Stopping)
            commands.Add(JobLife.StopMessage(task));
    }

    private void Missing(Turn turn, LiveTask task, List<LiveTask> starts)
    {
        if (task.State == TaskState.Stopping)
            parts.Recovery.StoppedUnheard(turn, task);
        else if (task.RunningAt is null)
            starts.Add(task);                               // (4)
        else
            parts.Recovery.TaskForgotten(turn, task);       // (5)
    }
}
