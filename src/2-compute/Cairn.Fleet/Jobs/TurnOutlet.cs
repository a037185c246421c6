using Cairn.Contracts.Ids;
using Cairn.Contracts.Wire;
using Cairn.Fleet.Link;

namespace Cairn.Fleet.Jobs;

/// <summary>
/// Lets out what a turn has decided once it is durable: (1) commands and acknowledgements, (2) starts, (3) replays, (4) wakes.
/// </summary>
internal sealed class TurnOutlet(FleetParts parts, NodeLinks links, JobChanges changes)
{
    public async Task LetOutAsync(Turn turn, CancellationToken cancellationToken)
    {
        // (1)
        foreach (var (node, message) in turn.Sends)
            links.Send(node, message);

        // (2) A node that is away gets the command when it attaches.
        if (turn.Starts.Count > 0)
        {
            var starts = await parts.Starts.MakeAsync(turn.Starts, cancellationToken);
            for (var i = 0; i < starts.Count; i++)
                links.Send(turn.Starts[i].NodeId, starts[i]);
        }

        // (3)
        foreach (var replay in turn.Replays)
            await ReplayAsync(replay, cancellationToken);

        // (4)
        foreach (var action in turn.Afterwards)
            action();
        foreach (var job in turn.ChangedJobs)
            changes.Publish(job.Id);
    }

    private async Task ReplayAsync(Replay replay, CancellationToken cancellationToken)
    {
        var starts = await parts.Starts.MakeAsync(replay.Starts, cancellationToken);
        replay.Reply.TrySetResult(new NodeReplay(replay.Forget, [.. starts, .. replay.Commands]));
    }
}

/// <summary>What a node that has come back is told.</summary>
internal sealed record Replay(
    NodeId Node, IReadOnlyList<string> Forget, IReadOnlyList<LiveTask> Starts, IReadOnlyList<ServerMessage> Commands,
    TaskCompletionSource<NodeReplay> Reply);
