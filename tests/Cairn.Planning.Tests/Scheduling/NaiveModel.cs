using System.Numerics;
using Cairn.Planning.Scheduling;

namespace Cairn.Planning.Tests.Scheduling;

/// <summary>The scheduler's rules written down the slow way: lists, loops and trying everything.</summary>
internal sealed class NaiveModel
{
    private readonly Dictionary<int, (NodeShape Shape, bool Schedulable)> _nodes = [];
    private readonly List<(Guid Key, TaskPlacement Task, TaskNeed Need)> _held = [];

    public IEnumerable<int> Nodes => _nodes.Keys.Order();

    public IEnumerable<Guid> Holders => _held.Select(held => held.Key).Distinct();

    public void Set(int node, NodeShape shape, bool schedulable) => _nodes[node] = (shape, schedulable);

    public NodeShape ShapeOf(int node) => _nodes[node].Shape;

    public bool IsSchedulable(int node) => _nodes[node].Schedulable;

    public void Remove(int node)
    {
        _nodes.Remove(node);
        _held.RemoveAll(held => held.Task.Node == node);
    }

    public void Release(Guid key, int rank) => _held.RemoveAll(held => held.Key == key && held.Task.Rank == rank);

    public void Release(Guid key) => _held.RemoveAll(held => held.Key == key);

    public IEnumerable<TaskPlacement> HeldBy(Guid key) => _held.Where(held => held.Key == key).Select(held => held.Task);

    /// <summary>Takes a placement over after holding it against every rule.</summary>
    public void Accept(Placement placement)
    {
        var shape = placement.Request.Shape;
        Assert.Equal(shape.Tasks, placement.Tasks.Length);
        foreach (var task in placement.Tasks)
        {
            var choice = shape.Choices[task.Choice];
            Assert.True(_nodes[task.Node].Schedulable);
            Assert.Equal(choice.NodeClass, _nodes[task.Node].Shape.NodeClass);
            Assert.True(Admits(task.Node, choice.Need), "labels or device kind");
            Assert.Equal(choice.Need.AcceleratorMilli, task.AcceleratorMilli);
            Assert.Equal((choice.Need.AcceleratorMilli + 999) / 1000, BitOperations.PopCount(task.Devices));
            _held.Add((placement.Request.Key, task, choice.Need));
            Assert.True(Kinds(task.Node, choice.Need).Any(kind => (task.Devices & ~kind) == 0), "devices of several kinds");
            AssertNotOvercommitted(task.Node);
        }

        var gang = HeldBy(placement.Request.Key).ToArray();
        Assert.Equal(gang.Length, gang.Select(task => task.Rank).Distinct().Count());
        if (shape.Spread)
            Assert.Equal(gang.Length, gang.Select(task => task.Node).Distinct().Count());
        if (shape.SameDomain)
            Assert.Single(gang.Select(task => _nodes[task.Node].Shape.Domain).Distinct());
        if (!shape.MixClasses)
            Assert.Single(placement.Tasks.Select(task => task.Choice).Distinct());
    }

    public NodeRoom RoomOf(int node)
    {
        var shape = _nodes[node].Shape;
        var here = _held.Where(held => held.Task.Node == node).ToArray();
        var free = DeviceFree(node);
        var whole = free.Select((milli, device) => milli == 1000 ? 1UL << device : 0).Aggregate(0UL, (set, bit) => set | bit);
        return new NodeRoom(
            shape.CpuMillis - here.Sum(held => held.Need.CpuMillis), shape.MemoryBytes - here.Sum(held => held.Need.MemoryBytes),
            shape.DiskBytes - here.Sum(held => held.Need.DiskBytes), whole, free.Sum());
    }

    /// <summary>Tries every assignment of the gang's tasks to nodes and devices.</summary>
    public bool Fits(PlacementRequest request)
    {
        var shape = request.Shape;
        var survivors = HeldBy(request.Key).Select(task => task.Node).ToArray();
        for (var choice = 0; choice < shape.Choices.Count; choice++)
        {
            if (TryTasks(request, [choice], shape.Tasks, [.. survivors]))
                return true;
        }

        return shape.MixClasses && TryTasks(request, Enumerable.Range(0, shape.Choices.Count), shape.Tasks, [.. survivors]);
    }

    private bool TryTasks(PlacementRequest request, IEnumerable<int> choices, int left, List<int> used)
    {
        if (left == 0)
            return true;
        foreach (var node in Nodes.Where(node => _nodes[node].Schedulable && Joins(request.Shape, node, used)))
        {
            foreach (var choice in choices.Where(choice => request.Shape.Choices[choice].NodeClass == _nodes[node].Shape.NodeClass))
            {
                var need = request.Shape.Choices[choice].Need;
                foreach (var devices in Admits(node, need) ? DeviceSets(node, need) : [])
                {
                    _held.Add((request.Key, new TaskPlacement(-1, node, choice, devices, need.AcceleratorMilli), need));
                    used.Add(node);
                    var fits = RoomOf(node) is { CpuMillis: >= 0, MemoryBytes: >= 0, DiskBytes: >= 0 }
                        && TryTasks(request, choices, left - 1, used);
                    _held.RemoveAt(_held.Count - 1);
                    used.RemoveAt(used.Count - 1);
                    if (fits)
                        return true;
                }
            }
        }

        return false;
    }

    private bool Joins(PlacementShape shape, int node, List<int> used)
    {
        if (shape.Spread && used.Contains(node))
            return false;
        if (!shape.SameDomain || (shape.Tasks == 1 && used.Count == 0))
            return true;
        var domain = _nodes[node].Shape.Domain;
        return domain.Length > 0 && used.All(other => _nodes[other].Shape.Domain == domain);
    }

    private IEnumerable<ulong> DeviceSets(int node, TaskNeed need)
    {
        if (need.AcceleratorMilli == 0)
            return [0];
        var free = DeviceFree(node);
        if (need.AcceleratorMilli < 1000)
            return Enumerable.Range(0, free.Length).Where(device => free[device] >= need.AcceleratorMilli).Select(device => 1UL << device)
                .Where(bit => Kinds(node, need).Any(kind => (kind & bit) != 0));
        var count = need.AcceleratorMilli / 1000;
        return Enumerable.Range(1, (1 << free.Length) - 1).Select(set => (ulong)set)
            .Where(set => BitOperations.PopCount(set) == count && Kinds(node, need).Any(kind => (set & ~kind) == 0))
            .Where(set => Enumerable.Range(0, free.Length).All(device => (set >> device & 1) == 0 || free[device] == 1000));
    }

    private bool Admits(int node, TaskNeed need) =>
        need.NodeLabels.All(label => _nodes[node].Shape.Labels.TryGetValue(label.Key, out var value) && value == label.Value);

    private IEnumerable<ulong> Kinds(int node, TaskNeed need)
    {
        if (need.AcceleratorMilli == 0)
            yield return 0;
        var at = 0;
        foreach (var device in _nodes[node].Shape.Devices)
        {
            if (need.Accepts(device))
                yield return ((1UL << device.Count) - 1) << at;
            at += device.Count;
        }
    }

    private int[] DeviceFree(int node)
    {
        var free = Enumerable.Repeat(1000, _nodes[node].Shape.Devices.Sum(device => device.Count)).ToArray();
        foreach (var held in _held.Where(held => held.Task.Node == node))
        {
            foreach (var device in held.Task.DeviceIndexes.Where(device => device < free.Length))
                free[device] -= Math.Min(1000, held.Task.AcceleratorMilli);
        }

        return free;
    }

    private void AssertNotOvercommitted(int node)
    {
        var room = RoomOf(node);
        Assert.True(room is { CpuMillis: >= 0, MemoryBytes: >= 0, DiskBytes: >= 0 }, $"node {node} has granted more than it has");
        Assert.All(DeviceFree(node), free => Assert.InRange(free, 0, 1000));
    }
}
