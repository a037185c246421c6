using System.Runtime.CompilerServices;
using Cairn.Contracts.Ids;
using Cairn.Contracts.Offers;
using Cairn.Contracts.Workloads;
using Cairn.Fleet.Jobs;
using Cairn.Fleet.Nodes;
using Cairn.Planning.Scheduling;

namespace Cairn.Fleet.Placement;

/// <summary>
/// The jobs that wait for room and the room there is: feeds the scheduler, which decides. A job that must not start yet waits outside.
/// Only the reconciler touches it; a restart fills it again from rows.
/// </summary>
internal sealed class PlacementQueue
{
    private readonly PriorityQueue<LiveJob, long> _later = new();
    private readonly Dictionary<NodeId, (int Handle, NodeFacts Facts)> _handles = [];
    private readonly List<NodeId> _nodes = [];
    private readonly ConditionalWeakTable<IReadOnlyList<Place>, Dictionary<(int, bool, bool), PlacementShape>> _shapes = [];
    private SchedulerState _scheduler = new();

    public int Waiting => _scheduler.QueuedCount;

    /// <summary>When a job that must wait may be placed; null without one.</summary>
    public long? NextDue => _later.TryPeek(out _, out var at) ? at : null;

    /// <summary>Puts the wanted ranks of a job into the queue, at once or when its time has come.</summary>
    public void Enqueue(LiveJob job)
    {
        if (job.NotBefore > 0)
            _later.Enqueue(job, job.NotBefore);
        else
            Submit(job);
    }

    /// <summary>Lets in the jobs whose time has come.</summary>
    public void LetIn(long nowMicros)
    {
        while (_later.TryPeek(out var job, out var at) && at <= nowMicros)
        {
            _later.Dequeue();
            if (job.NotBefore != at || job.Wanted is null || job.HasEnded)
                continue;
            job.NotBefore = 0;
            Submit(job);
        }
    }

    public void Withdraw(LiveJob job)
    {
        _scheduler.Withdraw(job.Id.Value);
        if (job.HasEnded || job.Wanted is null)
            job.NotBefore = 0;
    }

    /// <summary>Puts a job that stands in the queue there again, for its places have changed. It keeps its turn.</summary>
    public void Requeue(LiveJob job)
    {
        if (_scheduler.Withdraw(job.Id.Value))
            Submit(job);
    }

    public void Release(LiveTask task) => _scheduler.Release(task.JobId.Value, task.Rank);

    /// <summary>A live task, after a restart; false where its node does not have what it holds.</summary>
    public bool Adopt(LiveTask task)
    {
        if (!_handles.TryGetValue(task.NodeId, out var node))
            return false;
        return _scheduler.Adopt(new HeldTask(
            task.JobId.Value, task.Rank, node.Handle, DeviceNumbers.BitsOf(task.DeviceIndexes, node.Facts.Devices),
                Milli(task.TakesAccelerators),
            Milli(task.TakesCpus), task.TakesMemoryBytes, task.TakesDiskBytes));
    }

    /// <summary>Learns what a node is now; a node that was removed is forgotten.</summary>
    public void Learn(FleetNode node)
    {
        if (!_handles.TryGetValue(node.Id, out var known))
        {
            var handle = _scheduler.AddNode(ShapeOf(node), node.TakesWork);
            while (_nodes.Count <= handle)
                _nodes.Add(default);
            _nodes[handle] = node.Id;
            _handles.Add(node.Id, (handle, node.Facts));
            return;
        }
        if (!ReferenceEquals(known.Facts, node.Facts))
        {
            _scheduler.UpdateNode(known.Handle, ShapeOf(node));
            _handles[node.Id] = (known.Handle, node.Facts);
        }
        _scheduler.SetSchedulable(known.Handle, node.TakesWork);
    }

    public void Forget(NodeId node)
    {
        if (_handles.Remove(node, out var known))
            _scheduler.RemoveNode(known.Handle);
    }

    public NodeId NodeOf(int handle) => _nodes[handle];

    public ScheduleRound Decide(long nowMicros, int maxTasks) => _scheduler.Decide(nowMicros, maxTasks);

    public WaitExplanation? Explain(LiveJob job) => _scheduler.Explain(job.Id.Value);

    public void Clear()
    {
        _scheduler = new SchedulerState();
        _later.Clear();
        _handles.Clear();
        _nodes.Clear();
    }

    private void Submit(LiveJob job)
    {
        var ranks = job.WantedRanks;
        _scheduler.Submit(new PlacementRequest
        {
            Key = job.Id.Value,
            Shape = ShapeOf(job, ranks.Length),
            Priority = job.Priority,
            Sequence = job.SubmittedAt,
            SubmittedAtMicros = job.SubmittedAt,
            Ranks = job.Wanted == "" ? null : ranks,
        });
    }

    /// <summary>Jobs of equal plans share one shape, so that they stand in one line.</summary>
    private PlacementShape ShapeOf(LiveJob job, int tasks)
    {
        var resources = job.Workload.Resources;
        var sameDomain = resources.Interconnect > InterconnectKind.None;
        var shapes = _shapes.GetOrCreateValue(job.Places.Value);
        if (shapes.TryGetValue((tasks, resources.Spread, sameDomain), out var shape))
            return shape;
        return shapes[(tasks, resources.Spread, sameDomain)] = new PlacementShape
        {
            Choices = [.. job.Places.Value.Select(ChoiceOf)],
            Tasks = tasks,
            Spread = resources.Spread,
            SameDomain = sameDomain,
            MixClasses = !sameDomain,
        };
    }

    private static PlacementChoice ChoiceOf(Place place) => new(place.Offer, new TaskNeed
    {
        AcceleratorMilli = Milli(place.Accelerators),
        Accelerator = place.AcceleratorName is { } name ? new AcceleratorSpec { Names = [name] } : null,
        CpuMillis = Milli(place.Cpus),
        MemoryBytes = place.MemoryBytes,
        DiskBytes = place.DiskBytes,
    });

    private static NodeShape ShapeOf(FleetNode node)
    {
        var facts = node.Facts;
        return new NodeShape
        {
            NodeClass = node.Class.OfferId,
            Domain = $"{facts.Pool}/{facts.Provider}/{facts.Region.Name}",
            CpuMillis = (long)(facts.Cpus * 1000),
            MemoryBytes = facts.MemoryBytes,
            DiskBytes = facts.DiskBytes,
            Devices = DeviceNumbers.ShapesOf(facts.Devices),
            Labels = facts.Labels,
        };
    }

    private static int Milli(double amount) => (int)Math.Round(amount * 1000);
}
