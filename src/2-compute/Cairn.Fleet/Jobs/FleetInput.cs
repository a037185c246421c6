using Cairn.Contracts.Ids;
using Cairn.Contracts.Wire;
using Cairn.Fleet.Link;

namespace Cairn.Fleet.Jobs;

/// <summary>
/// Something that makes the reconciler look again. What matters of it is in rows, or is repeated by who sent it until it is.
/// </summary>
internal abstract record FleetInput
{
    /// <summary>A job's row is durable.</summary>
    public sealed record JobArrived(LiveJob Job) : FleetInput;

    /// <summary>A job's row says that it is to stop, or a limit does.</summary>
    public sealed record StopAsked(JobId Job, StopOrder Order) : FleetInput;

    /// <param name="Node">Who reports.</param>
    /// <param name="Report">What.</param>
    /// <param name="HeardMicros">
    /// When the server heard it: what is billed runs between two of these, not between the turns in which they were looked at.
    /// </param>
    public sealed record ReportArrived(NodeId Node, TaskReport Report, long HeardMicros) : FleetInput;

    /// <summary>A task that ended before memory was made; what its node says of it comes next.</summary>
    public sealed record TaskRecalled(LiveTask Task) : FleetInput;

    public sealed record OutputArrived(NodeId Node, TaskOutput Output) : FleetInput;

    /// <summary>A node is back and says what it holds; it waits for what it may have missed.</summary>
    /// <param name="EndedHere">The held tasks that rows know as ended on this node under that epoch: it may finish speaking of
    /// them.</param>
    public sealed record NodeAttached(
        NodeId Node, IReadOnlyList<HeldTask> Held, IReadOnlySet<TaskId> EndedHere, TaskCompletionSource<NodeReplay> Reply) : FleetInput;

    /// <summary>Nodes joined, went or changed: they are asked for what is new.</summary>
    public sealed record NodesChanged : FleetInput;

    /// <summary>Time has come for something.</summary>
    public sealed record TimeCame : FleetInput;
}
