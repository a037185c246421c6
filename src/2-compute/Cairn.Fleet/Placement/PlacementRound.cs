using Cairn.Contracts.Ids;
using Cairn.Contracts.Jobs;
using Cairn.Contracts.Units;
using Cairn.Fleet.Jobs;
using Cairn.Fleet.Limits;
using Cairn.Fleet.Nodes;
using Cairn.Planning.Scheduling;
using Cairn.State;

namespace Cairn.Fleet.Placement;

/// <summary>Turns the scheduler's decisions into tasks and leases: each wanted rank gets a task under the job's next epoch.</summary>
internal sealed class PlacementRound(JobBoard board, PlacementQueue queue, FleetNodes nodes, LimitWatch limits)
{
    /// <summary>Ends a round, so that one turn's write stays small; the next turn goes on.</summary>
    private const int MostTasks = 4_096;

    /// <summary>An explanation looks at every node, so it is not asked for with every round.</summary>
    private const long ExplainAgainMicros = 5_000_000;

    /// <returns>When to decide again without another cause; null when only a cause can change something.</returns>
    public long? Run(Turn turn)
    {
        queue.LetIn(turn.Now);
        if (queue.Waiting == 0)
            return queue.NextDue;
        var round = queue.Decide(turn.Now, MostTasks);
        foreach (var placement in round.Placements)
            Place(turn, placement);
        foreach (var key in round.Blocked)
            Explain(turn, JobId.From(key));
        return round.MoreToDo ? turn.Now : Earlier(round.DecideAgainAtMicros, queue.NextDue);
    }

    private void Place(Turn turn, Planning.Scheduling.Placement placement)
    {
        var job = board.Find(JobId.From(placement.Request.Key))!;
        job.Attempt++;
        foreach (var place in placement.Tasks)
        {
            var task = MakeTask(turn, job, place);
            job.Ranks[place.Rank] = task;
            board.Add(task);
            turn.Add(task);
            turn.Starts.Add(task);
        }
        job.Wanted = null;
        job.Phase = job.LiveTasks.Any(t => t.State == TaskState.Running) ? JobPhase.Running : JobPhase.Starting;
        job.Reason = job.Message = null;
        job.PlacedAt ??= turn.Now;
        DescribePlace(job, placement);
        turn.Event(job, job.Attempt == 1 ? "placed" : "placed_again", InWords(job, placement));
        limits.Watch(job);
    }

    private LiveTask MakeTask(Turn turn, LiveJob job, TaskPlacement place)
    {
        var node = nodes.Find(queue.NodeOf(place.Node));
        var chosen = job.Places.Value[place.Choice];
        return new LiveTask
        {
            Id = TaskId.New(Micros.ToTime(turn.Now)),
            JobId = job.Id,
            Job = job,
            Attempt = job.Attempt,
            Rank = place.Rank,
            NodeId = queue.NodeOf(place.Node),
            Node = node?.Name ?? "",
            Provider = chosen.Provider,
            Region = chosen.Region,
            Devices = node is null ? "" : DeviceNumbers.NumbersOf(place.DeviceIndexes, node.Facts.Devices),
            TakesAccelerators = chosen.Accelerators,
            TakesCpus = chosen.Cpus,
            TakesMemoryBytes = chosen.MemoryBytes,
            TakesDiskBytes = chosen.DiskBytes,
            Price = chosen.Price,
            BillsBoot = chosen.BillsBoot,
            GrantedAt = turn.Now,
        };
    }

    private static void DescribePlace(LiveJob job, Planning.Scheduling.Placement placement)
    {
        var first = job.Places.Value[placement.Tasks[0].Choice];
        (job.Provider, job.Region, job.InstanceType) = (first.Provider, first.Region, first.InstanceType);
        job.Accelerators = first.AcceleratorName is null ? null
            : FormattableString.Invariant($"{first.AcceleratorName}:{first.Accelerators:0.###}");
        job.Simulated |= placement.Tasks.Any(t => job.Places.Value[t.Choice].Simulated);
        job.Hourly = new HourlyPrice(job.LiveTasks.Sum(t => t.Price.MicrosPerHour));
    }

    private static string InWords(LiveJob job, Planning.Scheduling.Placement placement)
    {
        var tasks = placement.Tasks.Select(t => job.Ranks[t.Rank]!.Node).Distinct().ToList();
        var where = tasks.Count <= 3 ? string.Join(", ", tasks) : $"{tasks[0]}, {tasks[1]} and {tasks.Count - 2} more";
        return job.Attempt == 1 ? $"Placed on {where} at {job.Hourly}." : $"Attempt {job.Attempt}: placed on {where} at {job.Hourly}.";
    }

    /// <summary>Says on the job why it waits, when that is new.</summary>
    private void Explain(Turn turn, JobId id)
    {
        if (board.Find(id) is not { } job || turn.Now < job.ExplainAgainAt || queue.Explain(job) is not { } why)
            return;
        job.ExplainAgainAt = turn.Now + ExplainAgainMicros;
        var message = why.ToString();
        if (job.Message == message)
            return;
        job.Message = message;
        job.Reason = "no_room";
        turn.Change(job);
    }

    private static long? Earlier(long? one, long? two) => (one, two) switch
    {
        (null, _) => two,
        (_, null) => one,
        _ => Math.Min(one.Value, two.Value),
    };
}
