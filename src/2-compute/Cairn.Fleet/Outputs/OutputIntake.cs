using Cairn.Contracts.Ids;
using Cairn.Contracts.Wire;
using Cairn.Fleet.Jobs;
using Cairn.Fleet.Recovery;

namespace Cairn.Fleet.Outputs;

/// <summary>
/// Keeps what tasks leave behind. An output counts when it comes from the node and epoch that the rank had last; what a superseded
/// attempt still sends is acknowledged, so that its node lets go of it, and not kept.
/// </summary>
internal static class OutputIntake
{
    public static void Apply(Turn turn, JobBoard board, NodeId node, TaskOutput output)
    {
        if (TypedId.TryParse<TaskId>(output.TaskId, out var id) && (board.TryGetTask(id, out var task) || board.TryGetEnded(id, out task))
            && task.NodeId == node && task.Epoch == output.Epoch && (!task.HasEnded || ReplayDecision.MayFinishSpeaking(task)))
        {
            Keep(turn, task, output);
        }
        turn.Sends.Add((node, Ack(output)));
    }

    public static ServerMessage Ack(TaskOutput output) => new()
    {
        OutputAck = new OutputAck { TaskId = output.TaskId, Epoch = output.Epoch, Name = output.Name },
    };

    private static void Keep(Turn turn, LiveTask task, TaskOutput output)
    {
        var manifest = Manifests.FromWire(output.Manifest ?? new FileManifest());
        if (Manifests.Fault(manifest) is not null)
            return;
        turn.Keep(new OutputRow(
            task.JobId, output.Checkpoint, output.Name, task.Rank, task.Attempt, manifest.Files.Count, manifest.Files.Sum(f => f.SizeBytes),
            manifest, turn.Now));
        if (output.Checkpoint && !task.Job.HasCheckpoint && !task.Job.HasEnded)
        {
            task.Job.HasCheckpoint = true;
            turn.Change(task.Job);
        }
    }
}
