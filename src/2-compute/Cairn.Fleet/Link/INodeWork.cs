using Cairn.Contracts.Api;
using Cairn.Contracts.Ids;
using Cairn.Contracts.Wire;

namespace Cairn.Fleet.Link;

/// <summary>
/// What the link asks of the jobs: the link carries messages and knows nodes, their keys and their silence; what a task is and which
/// epoch still counts is known here. Calls for one node come one after another, in the order of its messages.
/// </summary>
internal interface INodeWork
{
    /// <summary>
    /// A node has proved its key. Answers what it must forget and the commands it may have missed. <see cref="NodeLinks.Send"/> already
    /// reaches the new session while this runs, behind the replayed commands, so a command written meanwhile is never lost but may come
    /// twice.
    /// </summary>
    Task<NodeReplay> ReplayAsync(NodeId node, IReadOnlyList<HeldTask> held, CancellationToken cancellationToken);

    /// <summary>
    /// Takes a report. Must not wait for the disk: it holds up every node of the stream. Send <see cref="ReportAck"/> over
    /// <paramref name="session"/> once the report is durable; the node repeats what is not acknowledged.
    /// </summary>
    ValueTask AcceptReportAsync(NodeId node, TaskReport report, NodeSession session, CancellationToken cancellationToken);

    /// <summary>Takes a collected output under the same rules; answer with <see cref="OutputAck"/>.</summary>
    ValueTask AcceptOutputAsync(NodeId node, TaskOutput output, NodeSession session, CancellationToken cancellationToken);

    /// <summary>
    /// The tasks among those a heartbeat names whose lease goes on: the node stops what is not renewed. In memory, called often.
    /// </summary>
    IReadOnlyList<string> Renew(NodeId node, IReadOnlyList<string> taskIds);

    /// <summary>
    /// Where a task's log belongs, or null when the task is not this node's or the epoch is over. Also holds for a task that has ended on
    /// the node: its last bytes come after its last report. The link remembers the answer for a while, within the session.
    /// </summary>
    ValueTask<TaskLogKey?> FindLogAsync(NodeId node, TaskId task, long epoch, CancellationToken cancellationToken);

    /// <summary>Whether a task of the node is given the blob: its working directory or its checkpoint.</summary>
    ValueTask<bool> MayReadBlobAsync(NodeId node, TaskId task, string hash, CancellationToken cancellationToken);

    /// <summary>Whether a task of the node may still leave outputs or checkpoints.</summary>
    ValueTask<bool> MayWriteBlobAsync(NodeId node, TaskId task, CancellationToken cancellationToken);

    /// <summary>What runs on the node now.</summary>
    ValueTask<IReadOnlyList<NodeTaskView>> TasksOnAsync(NodeId node, CancellationToken cancellationToken);

    /// <summary>The node that a live task is on; null where there is no such task. In memory, and waits until that is filled.</summary>
    ValueTask<NodeId?> NodeOfAsync(TaskId task, CancellationToken cancellationToken);

    /// <summary>What leases take of the node now. In memory, called once per node of a listing.</summary>
    NodeUse UseOf(NodeId node);
}

/// <param name="ForgetTasks">Held tasks that the server no longer wants: the node stops and drops them.</param>
/// <param name="Commands">Sent after the welcome, in this order. The link fills in the node's id.</param>
internal sealed record NodeReplay(IReadOnlyList<string> ForgetTasks, IReadOnlyList<ServerMessage> Commands)
{
    public static readonly NodeReplay Nothing = new([], []);
}

/// <summary>Names one log: of one rank of one attempt of a job. No two tasks may share it, for each begins its log at offset 0.</summary>
internal readonly record struct TaskLogKey(JobId Job, int Attempt, int Rank);

/// <summary>The part of a node that leases hold.</summary>
internal readonly record struct NodeUse(double Accelerators, double Cpus, long MemoryBytes, long DiskBytes);
