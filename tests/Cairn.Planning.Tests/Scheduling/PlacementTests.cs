using Cairn.Contracts.Workloads;
using Cairn.Planning.Scheduling;
using static Cairn.Planning.Tests.Scheduling.Requests;

namespace Cairn.Planning.Tests.Scheduling;

public sealed class PlacementTests
{
    private readonly SchedulerState _state = new();

    [Fact]
    public void A_task_gets_the_devices_it_asks_for()
    {
        _state.AddNode(Node());
        var tasks = _state.TryPlace(Request(1, Shape(gpus: 2)));
        Assert.Equal(new TaskPlacement(0, 0, 0, 0b11, 2000), Assert.Single(tasks!));
        Assert.Equal([0, 1], tasks![0].DeviceIndexes);
        Assert.Equal(new NodeRoom(95_000, 999 * Gigabyte, 1000 * Gigabyte, 0b1111_1100, 6000), _state.RoomOf(0));
    }

    [Fact]
    public void The_node_whose_free_devices_match_best_is_taken_so_that_whole_nodes_stay_whole()
    {
        for (var i = 0; i < 3; i++)
            _state.AddNode(Node());
        var nodes = new[] { 4, 2, 1, 1 }.Select((gpus, key) => _state.TryPlace(Request(key, Shape(gpus)))![0].Node);
        Assert.Single(nodes.Distinct().ToArray());
        Assert.NotNull(_state.TryPlace(Request(5, Shape(gpus: 8, tasks: 2))));
    }

    [Fact]
    public void A_gang_is_placed_whole_or_not_at_all()
    {
        _state.AddNode(Node());
        _state.AddNode(Node(gpus: 4));
        Assert.Null(_state.TryPlace(Request(1, Shape(gpus: 4, tasks: 4))));
        Assert.Equal(0, _state.HeldTasks);
        Assert.Equal(8000, _state.RoomOf(0).AcceleratorMilli);
        Assert.Equal(3, _state.TryPlace(Request(2, Shape(gpus: 4, tasks: 3)))!.Length);
    }

    [Fact]
    public void Shares_of_accelerators_are_packed_on_one_device()
    {
        _state.AddNode(Node());
        _state.AddNode(Node());
        var first = _state.TryPlace(Request(1, Shape(gpus: 0.5)))![0];
        var second = _state.TryPlace(Request(2, Shape(gpus: 0.3)))![0];
        var third = _state.TryPlace(Request(3, Shape(gpus: 0.3)))![0];
        Assert.Equal((first.Node, first.Devices), (second.Node, second.Devices));
        Assert.Equal(first.Node, third.Node);
        Assert.NotEqual(first.Devices, third.Devices);
        Assert.Equal(200 + 700 + 6000, _state.RoomOf(first.Node).AcceleratorMilli);
    }

    [Fact]
    public void The_first_choice_that_holds_the_whole_gang_is_taken()
    {
        _state.AddNode(Node(nodeClass: "cheap"));
        for (var i = 0; i < 3; i++)
            _state.AddNode(Node(nodeClass: "dear"));
        var shape = Shape(gpus: 8, tasks: 2, classes: "cheap,dear", spread: true);
        Assert.All(_state.TryPlace(Request(1, shape))!, task => Assert.Equal(1, task.Choice));
        Assert.Equal(0, _state.TryPlace(Request(2, Shape(gpus: 8, classes: "cheap,dear")))![0].Node);
    }

    [Fact]
    public void A_gang_spans_classes_only_where_it_may_and_no_single_one_holds_it()
    {
        _state.AddNode(Node(gpus: 1, nodeClass: "one"));
        _state.AddNode(Node(gpus: 1, nodeClass: "two"));
        Assert.Null(_state.TryPlace(Request(1, Shape(tasks: 2, classes: "one,two"))));
        Assert.Equal([0, 1], _state.TryPlace(Request(2, Shape(tasks: 2, classes: "one,two", mix: true)))!.Select(task => task.Choice));
    }

    [Fact]
    public void A_gang_that_asks_for_one_domain_keeps_to_one()
    {
        _state.AddNode(Node(domain: "east"));
        _state.AddNode(Node(domain: "west"));
        _state.AddNode(Node(domain: "west"));
        Assert.Equal([1, 2], _state.TryPlace(Request(1, Shape(gpus: 8, tasks: 2, sameDomain: true)))!.Select(task => task.Node).Order());
        Assert.Null(_state.TryPlace(Request(2, Shape(gpus: 8, tasks: 2, sameDomain: true))));
    }

    [Fact]
    public void Nodes_without_a_domain_share_none()
    {
        _state.AddNode(Node(domain: ""));
        _state.AddNode(Node(domain: ""));
        Assert.Null(_state.TryPlace(Request(1, Shape(gpus: 8, tasks: 2, sameDomain: true))));
        Assert.NotNull(_state.TryPlace(Request(2, Shape(gpus: 8, tasks: 2))));
    }

    [Fact]
    public void A_spread_gang_has_one_task_per_node()
    {
        for (var i = 0; i < 3; i++)
            _state.AddNode(Node());
        Assert.Equal(3, _state.TryPlace(Request(1, Shape(tasks: 3, spread: true)))!.Select(task => task.Node).Distinct().Count());
        Assert.Null(_state.TryPlace(Request(2, Shape(tasks: 4, spread: true))));
    }

    [Fact]
    public void Labels_accelerator_kind_and_memory_are_kept_to()
    {
        _state.AddNode(Node(label: "red"));
        _state.AddNode(Node(label: "blue"));
        Assert.Equal("1", _state.TryPlace(Request(1, Shape(label: "blue"))).Nodes());
        Assert.Equal("waits", _state.TryPlace(Request(2, Shape(label: "green"))).Nodes());
        Assert.Equal("waits", _state.TryPlace(Request(3, Asking(new AcceleratorSpec { Names = ["A100"] }))).Nodes());
        Assert.Equal("waits", _state.TryPlace(Request(4, Asking(new AcceleratorSpec { Vendor = "amd" }))).Nodes());
        Assert.Equal("waits", _state.TryPlace(Request(5, Asking(new AcceleratorSpec { MemoryBytes = new(81 * Gigabyte, null) }))).Nodes());
        Assert.NotEqual("waits", _state.TryPlace(Request(6, Asking(new AcceleratorSpec { Names = ["H100"] }))).Nodes());

        static PlacementShape Asking(AcceleratorSpec spec) =>
            new() { Choices = [new PlacementChoice("a", new TaskNeed { AcceleratorMilli = 1000, Accelerator = spec })] };
    }

    [Fact]
    public void Devices_of_one_task_are_of_one_kind()
    {
        _state.AddNode(Node() with { Devices = [new("RTX3090", "nvidia", 24 * Gigabyte, 1), new("RTX4090", "nvidia", 24 * Gigabyte, 2)] });
        Assert.Null(_state.TryPlace(Request(1, Shape(gpus: 3))));
        Assert.Equal(0b110UL, _state.TryPlace(Request(2, Shape(gpus: 2)))![0].Devices);
        Assert.Equal(0b1UL, _state.TryPlace(Request(3, Shape(gpus: 1)))![0].Devices);
    }

    [Fact]
    public void A_cordoned_node_takes_nothing_new_and_keeps_what_it_granted()
    {
        _state.AddNode(Node());
        Assert.NotNull(_state.TryPlace(Request(1, Shape())));
        _state.SetSchedulable(0, false);
        Assert.Null(_state.TryPlace(Request(2, Shape())));
        Assert.Equal(1, _state.HeldTasks);
        _state.SetSchedulable(0, true);
        Assert.NotNull(_state.TryPlace(Request(3, Shape())));
    }

    [Fact]
    public void A_lost_rank_is_replaced_beside_its_gang()
    {
        _state.AddNode(Node(domain: "east"));
        _state.AddNode(Node(domain: "west"));
        _state.AddNode(Node(domain: "west"));
        _state.AddNode(Node(domain: "west"));
        var gang = _state.TryPlace(Request(1, Shape(tasks: 3, spread: true, sameDomain: true)))!;
        _state.RemoveNode(gang[1].Node);
        Assert.Equal(2, _state.HeldTasks);
        Assert.Null(_state.TryPlace(Request(1, Shape(tasks: 1, spread: true, sameDomain: true), ranks: [1])));
        var joined = _state.AddNode(Node(domain: "west"));
        var task = Assert.Single(_state.TryPlace(Request(1, Shape(tasks: 1, spread: true, sameDomain: true), ranks: [1]))!);
        Assert.Equal((1, joined), (task.Rank, task.Node));
    }

    [Fact]
    public void A_held_lease_is_adopted_once_and_its_devices_are_not_granted_again()
    {
        _state.AddNode(Node(gpus: 2));
        var held = new HeldTask(Key(1), 0, 0, 0b10, 1000, 1000, Gigabyte, 0);
        Assert.True(_state.Adopt(held));
        Assert.False(_state.Adopt(held));
        Assert.False(_state.Adopt(held with { Rank = 1 }));
        Assert.False(_state.Adopt(held with { Rank = 2, Devices = 0b100 }));
        Assert.Equal(0b1UL, _state.TryPlace(Request(2, Shape()))![0].Devices);
        Assert.Null(_state.TryPlace(Request(3, Shape())));
        Assert.Equal(1, _state.Release(Key(1)));
        Assert.NotNull(_state.TryPlace(Request(3, Shape())));
    }

    [Fact]
    public void A_node_that_comes_back_smaller_keeps_its_grants_and_grows_again()
    {
        var node = _state.AddNode(Node(gpus: 4));
        Assert.NotNull(_state.TryPlace(Request(1, Shape(gpus: 4))));
        _state.UpdateNode(node, Node(gpus: 2));
        Assert.Equal(0, _state.RoomOf(node).AcceleratorMilli);
        _state.UpdateNode(node, Node(gpus: 6));
        Assert.Equal(2000, _state.RoomOf(node).AcceleratorMilli);
        _state.Release(Key(1));
        Assert.Equal(6000, _state.RoomOf(node).AcceleratorMilli);
    }
}
