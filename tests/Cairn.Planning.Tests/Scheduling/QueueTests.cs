using Cairn.Planning.Scheduling;
using static Cairn.Planning.Tests.Scheduling.Requests;

namespace Cairn.Planning.Tests.Scheduling;

public sealed class QueueTests
{
    private readonly SchedulerState _state = new();

    [Fact]
    public void A_higher_priority_goes_first_and_within_one_the_lower_sequence()
    {
        _state.AddNode(Node(gpus: 1));
        _state.Submit(Request(1, Shape(), priority: 10));
        _state.Submit(Request(2, Shape(), priority: 90, sequence: 20));
        _state.Submit(Request(3, Shape(), priority: 90, sequence: 10));
        Assert.Equal([3, 2, 1], Enumerable.Range(0, 3).Select(_ => PlaceOneAndEndIt()));
    }

    [Fact]
    public void Equal_requests_behind_a_blocked_one_are_not_tried()
    {
        _state.AddNode(Node(gpus: 1));
        for (var key = 1; key <= 100; key++)
            _state.Submit(Request(key, Shape(gpus: 2)));
        Assert.Equal([Key(1)], _state.Decide(0).Blocked);
        Assert.Empty(_state.Decide(1).Blocked);
    }

    [Fact]
    public void A_blocked_line_is_tried_again_when_something_it_could_use_comes_free()
    {
        _state.AddNode(Node(nodeClass: "a", gpus: 1));
        _state.AddNode(Node(nodeClass: "b", gpus: 1));
        Assert.NotNull(_state.TryPlace(Request(1, Shape(classes: "a"))));
        Assert.NotNull(_state.TryPlace(Request(2, Shape(classes: "b"))));
        _state.Submit(Request(3, Shape(classes: "a")));
        Assert.Single(_state.Decide(0).Blocked);
        _state.Release(Key(2));
        Assert.Empty(_state.Decide(0).Blocked);
        _state.Release(Key(1));
        Assert.Equal(Key(3), Assert.Single(_state.Decide(0).Placements).Request.Key);
    }

    [Fact]
    public void A_node_that_joins_wakes_whoever_waits_for_its_class()
    {
        _state.Submit(Request(1, Shape(classes: "late")));
        Assert.Empty(_state.Decide(0).Placements);
        _state.AddNode(Node(nodeClass: "late"));
        Assert.Single(_state.Decide(0).Placements);
    }

    [Fact]
    public void A_round_ends_at_its_limit_and_says_that_there_is_more()
    {
        _state.AddNode(Node());
        for (var key = 1; key <= 5; key++)
            _state.Submit(Request(key, Shape()));
        var first = _state.Decide(0, maxTasks: 2);
        Assert.Equal((2, true), (first.Tasks, first.MoreToDo));
        var second = _state.Decide(0);
        Assert.Equal((3, false), (second.Tasks, second.MoreToDo));
    }

    [Fact]
    public void A_withdrawn_request_is_not_placed_and_lets_the_next_step_up()
    {
        _state.AddNode(Node(gpus: 1));
        _state.Submit(Request(1, Shape()));
        _state.Submit(Request(2, Shape()));
        Assert.True(_state.Withdraw(Key(1)));
        Assert.False(_state.Withdraw(Key(1)));
        Assert.Equal(2, PlaceOneAndEndIt());
    }

    [Fact]
    public void Requests_that_make_no_sense_are_refused_and_change_nothing()
    {
        _state.AddNode(Node());
        _state.Submit(Request(1, Shape()));
        Assert.Throws<ArgumentException>(() => _state.Submit(Request(1, Shape())));
        Assert.Throws<ArgumentException>(() => _state.Submit(Request(2, Shape(gpus: 1.5))));
        Assert.Throws<ArgumentOutOfRangeException>(() => _state.Submit(Request(3, Shape(tasks: 0))));
        Assert.Throws<ArgumentException>(() => _state.Submit(Request(4, Shape(tasks: 2), ranks: [1])));
        Assert.Throws<ArgumentException>(() => _state.AddNode(Node(gpus: 64)));
        Assert.Throws<ArgumentException>(() => _state.RoomOf(7));
        Assert.Equal((1, 1), (_state.QueuedCount, _state.NodeCount));
    }

    [Fact]
    public void A_rank_that_is_held_cannot_be_asked_for_again()
    {
        _state.AddNode(Node());
        Assert.NotNull(_state.TryPlace(Request(1, Shape(tasks: 2))));
        Assert.Throws<ArgumentException>(() => _state.Submit(Request(1, Shape(), ranks: [1])));
        Assert.True(_state.Release(Key(1), 1));
        Assert.Equal(1, _state.TryPlace(Request(1, Shape(), ranks: [1]))![0].Rank);
    }

    [Fact]
    public void An_explanation_counts_every_node_once_by_what_keeps_the_request_off_it()
    {
        _state.AddNode(Node(label: "red"));
        _state.AddNode(Node(gpus: 2, label: "blue"));
        _state.AddNode(Node(nodeClass: "dear", label: "blue"));
        _state.AddNode(Node(label: "blue"), schedulable: false);
        _state.AddNode(Node(label: "blue"));
        _state.AddNode(Node(label: "blue"));
        Assert.NotNull(_state.TryPlace(Request(1, Shape(gpus: 8, label: "blue"))));
        _state.Submit(Request(2, Shape(gpus: 8, tasks: 2, label: "blue")));
        _state.Decide(0);
        var why = _state.Explain(Key(2))!;
        Assert.Equal("6 nodes: 1 accelerator_count, 1 capacity, 1 class, 1 gang, 1 labels, 1 unschedulable", why.ToString());
        Assert.True(why.CouldFitWhenIdle);
        Assert.Null(_state.Explain(Key(1)));
    }

    private int PlaceOneAndEndIt()
    {
        var placed = Assert.Single(_state.Decide(0).Placements);
        _state.Release(placed.Request.Key);
        return Enumerable.Range(0, 100).Single(number => Key(number) == placed.Request.Key);
    }
}
