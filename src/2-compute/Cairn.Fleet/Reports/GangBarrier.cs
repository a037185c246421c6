using Cairn.Contracts.Jobs;
using Cairn.Contracts.Wire;
using Cairn.Fleet.Jobs;
using Cairn.Fleet.Nodes;

namespace Cairn.Fleet.Reports;

/// <summary>
/// Ranks of a gang start together: once every live rank has finished its setup, all that wait are told to begin, with the address of every
/// peer. A rank that replaces a lost one begins when it is ready, and the ranks that run are told of the change.
/// </summary>
internal sealed class GangBarrier(FleetNodes nodes)
{
    public void Check(Turn turn, LiveJob job)
    {
        if (!IsOpen(job))
            return;
        var peers = Peers(job);
        foreach (var task in job.LiveTasks)
        {
            if (task.State == TaskState.Ready)
                turn.Send(task, BeginMessage(task, peers));
            else if (task.State == TaskState.Running)
                turn.Send(task, PeersMessage(task, peers));
        }
    }

    /// <summary>Whether every rank is there and past its setup.</summary>
    public static bool IsOpen(LiveJob job) =>
        job.Wanted is null && job.Phase != JobPhase.Stopping
        && Array.TrueForAll(job.Ranks, t => t is { State: TaskState.Ready or TaskState.Running } or { Succeeded: true });

    public List<Peer> Peers(LiveJob job) =>
        [.. job.Ranks.Select((task, rank) => new Peer { Rank = rank, NodeName = task?.Node ?? "", Address = AddressOf(task) })];

    public static ServerMessage BeginMessage(LiveTask task, IEnumerable<Peer> peers)
    {
        var begin = new BeginTask { TaskId = task.WireId, Epoch = task.Epoch, MasterPort = MasterPort.Of(task.JobId, task.Job.Attempt) };
        begin.Peers.AddRange(peers);
        return new ServerMessage { Begin = begin };
    }

    public static ServerMessage PeersMessage(LiveTask task, IEnumerable<Peer> peers)
    {
        var changed = new PeersChanged { TaskId = task.WireId, Epoch = task.Epoch };
        changed.Peers.AddRange(peers);
        return new ServerMessage { PeersChanged = changed };
    }

    private string AddressOf(LiveTask? task) => task is null ? "" : nodes.Find(task.NodeId)?.Facts.Address ?? "";
}
