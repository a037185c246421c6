using System.Diagnostics;
using Cairn.Contracts.Ids;
using Cairn.Contracts.Jobs;
using Cairn.Fleet.Nodes;
using Cairn.Fleet.Outputs;
using Cairn.Fleet.Recovery;
using Cairn.Fleet.Reports;

namespace Cairn.Fleet.Jobs;

/// <summary>What each input means for the jobs.</summary>
internal sealed class TurnInputs(FleetParts parts, NodeChanges nodeChanges)
{
    private readonly ReplayDecision _replays = new(parts);

    public void Apply(Turn turn, FleetInput input)
    {
        switch (input)
        {
            case FleetInput.JobArrived arrived:
                if (parts.Board.Find(arrived.Job.Id) is null && !arrived.Job.HasEnded)
                    parts.Life.Arrive(arrived.Job);
                break;
            case FleetInput.StopAsked asked:
                if (parts.Board.Find(asked.Job) is { StopReason: null } job)
                    parts.Life.Stop(turn, job, asked.Order);
                break;
            case FleetInput.ReportArrived arrived:
                parts.Reports.Apply(turn, arrived);
                break;
            case FleetInput.TaskRecalled recalled:
                parts.Board.Recall(recalled.Task);
                break;
            case FleetInput.OutputArrived arrived:
                OutputIntake.Apply(turn, parts.Board, arrived.Node, arrived.Output);
                break;
            case FleetInput.NodeAttached attached:
                if (!attached.Reply.Task.IsCanceled)
                    _replays.Apply(turn, attached);
                break;
            case FleetInput.NodesChanged:
                foreach (var (node, change) in nodeChanges.Take())
                    NodeChanged(turn, node, change);
                parts.Replans.Run(turn);
                break;
            case FleetInput.TimeCame:
                break;
            default:
                throw new UnreachableException();
        }
    }

    public void LearnAllNodes()
    {
        nodeChanges.Take();
        foreach (var node in parts.Nodes.All)
            parts.Queue.Learn(node);
    }

    /// <summary>
    /// After a restart: goes on with what was under way. Nodes get their time to come back; only those that were removed are gone.
    /// </summary>
    public void CatchUp(Turn turn, IReadOnlyList<LiveJob> jobs)
    {
        foreach (var job in jobs)
        {
            foreach (var task in job.LiveTasks.ToList())
            {
                if (parts.Nodes.Find(task.NodeId) is null)
                    parts.Recovery.NodeGone(turn, [task], EndReasons.NodeRemoved, turn.Now);
            }
            if (job.HasEnded)
                continue;
            if (job is { StopReason: { } reason, Phase: not JobPhase.Stopping })
                parts.Life.Stop(turn, job, new StopOrder(reason, job.Message ?? StopOrder.InWords(reason), job.StopGraceSeconds));
            else if (job.Phase == JobPhase.Stopping)
                parts.Recovery.ContinueIfClear(turn, job);
        }
    }

    private void NodeChanged(Turn turn, NodeId id, NodeChange change)
    {
        if (parts.Nodes.Find(id) is not { } node)
        {
            parts.Queue.Forget(id);
            parts.Recovery.NodeGone(turn, parts.Board.TasksOn(id), EndReasons.NodeRemoved, turn.Now);
            return;
        }
        parts.Queue.Learn(node);
        // A node that was lost and is back may carry both flags: its leases were void in between.
        if (change.HasFlag(NodeChange.Lost))
            parts.Recovery.NodeGone(turn, parts.Board.TasksOn(id), EndReasons.NodeLost, parts.Sight.LastSeen(id, turn.Now));
        if (node.Phase == NodePhase.Draining)
            GangRecovery.Drain(turn, parts.Board.TasksOn(id));
    }
}
