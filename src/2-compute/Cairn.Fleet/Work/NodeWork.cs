using Cairn.Contracts.Api;
using Cairn.Contracts.Ids;
using Cairn.Contracts.Jobs;
using Cairn.Contracts.Wire;
using Cairn.Fleet.Jobs;
using Cairn.Fleet.Link;
using Cairn.Fleet.Recovery;
using Cairn.State;

namespace Cairn.Fleet.Work;

/// <summary>
/// What the link asks of the jobs. Questions are answered from memory; what changes a job goes into the reconciler's inbox, in the order in
/// which the node said it, and is answered after the commit.
/// </summary>
internal sealed class NodeWork(JobBoard board, FleetInbox inbox, TaskMemory memory, BlobRights blobs, TimeProvider time) : INodeWork
{
    public async Task<NodeReplay> ReplayAsync(NodeId node, IReadOnlyList<HeldTask> held, CancellationToken cancellationToken)
    {
        var endedHere = new HashSet<TaskId>();
        foreach (var task in held)
        {
            if (TypedId.TryParse<TaskId>(task.TaskId, out var id) && !board.TryGetTask(id, out _)
                && await memory.FindAsync(id, cancellationToken) is { HasEnded: true } ended
                && ended.NodeId == node && ended.Epoch == task.Epoch && ReplayDecision.MayFinishSpeaking(ended))
            {
                endedHere.Add(id);
            }
        }
        var reply = new TaskCompletionSource<NodeReplay>(TaskCreationOptions.RunContinuationsAsynchronously);
        // A node that gave up has gone on since: what it said it holds is not to be judged any more.
        await using var gaveUp = cancellationToken.UnsafeRegister(_ => reply.TrySetCanceled(cancellationToken), null);
        inbox.Post(new FleetInput.NodeAttached(node, held, endedHere, reply));
        return await reply.Task;
    }

    public async ValueTask AcceptReportAsync(NodeId node, TaskReport report, NodeSession session, CancellationToken cancellationToken)
    {
        var heard = Micros.Of(time.GetUtcNow());
        await RecallAsync(report.TaskId, cancellationToken);
        inbox.Post(new FleetInput.ReportArrived(node, report, heard));
    }

    public async ValueTask AcceptOutputAsync(NodeId node, TaskOutput output, NodeSession session, CancellationToken cancellationToken)
    {
        await RecallAsync(output.TaskId, cancellationToken);
        inbox.Post(new FleetInput.OutputArrived(node, output));
    }

    public IReadOnlyList<string> Renew(NodeId node, IReadOnlyList<string> taskIds)
    {
        List<string>? renewed = null;
        foreach (var text in taskIds)
        {
            if (TypedId.TryParse<TaskId>(text, out var id) && board.TryGetTask(id, out var task) && task.NodeId == node)
                (renewed ??= new List<string>(taskIds.Count)).Add(text);
        }
        return renewed ?? [];
    }

    public async ValueTask<TaskLogKey?> FindLogAsync(NodeId node, TaskId task, long epoch, CancellationToken cancellationToken) =>
        await memory.FindAsync(task, cancellationToken) is { } found && found.NodeId == node && found.Epoch == epoch
            && (!found.HasEnded || ReplayDecision.MayFinishSpeaking(found))
            ? new TaskLogKey(found.JobId, found.Attempt, found.Rank)
            : null;

    public async ValueTask<bool> MayReadBlobAsync(NodeId node, TaskId task, string hash, CancellationToken cancellationToken) =>
        await LiveAsync(task, cancellationToken) is { } found && found.NodeId == node && await blobs.MayReadAsync(found.Job, hash, cancellationToken);

    public async ValueTask<bool> MayWriteBlobAsync(NodeId node, TaskId task, CancellationToken cancellationToken) =>
        await memory.FindAsync(task, cancellationToken) is { } found && found.NodeId == node
        && (!found.HasEnded || ReplayDecision.MayFinishSpeaking(found));

    public ValueTask<IReadOnlyList<NodeTaskView>> TasksOnAsync(NodeId node, CancellationToken cancellationToken) => new(
        [.. board.Tasks.Where(t => t.NodeId == node).OrderBy(t => t.Id.Value)
            .Select(t => new NodeTaskView(t.Id, t.JobId, t.Job.Name, t.Rank, t.State))]);

    public async ValueTask<NodeId?> NodeOfAsync(TaskId task, CancellationToken cancellationToken) => (await LiveAsync(task, cancellationToken))?.NodeId;

    public NodeUse UseOf(NodeId node) => board.UseOf(node);

    /// <summary>A live task; null where there is none, which is known only once memory is filled.</summary>
    private async ValueTask<LiveTask?> LiveAsync(TaskId task, CancellationToken cancellationToken)
    {
        while (true)
        {
            var content = board.Content;
            if (board.TryGetTask(task, out var found))
                return found;
            if (content is not null && board.Content == content)
                return null;
            await board.FilledAsync(cancellationToken);
        }
    }

    /// <summary>A task that ended long ago may still speak: the reconciler is reminded of it before.</summary>
    private async ValueTask RecallAsync(string taskId, CancellationToken cancellationToken)
    {
        if (TypedId.TryParse<TaskId>(taskId, out var id) && !board.TryGetTask(id, out _) && !board.TryGetEnded(id, out _)
            && await memory.FindAsync(id, cancellationToken) is { HasEnded: true } ended)
        {
            inbox.Post(new FleetInput.TaskRecalled(ended));
        }
    }
}
