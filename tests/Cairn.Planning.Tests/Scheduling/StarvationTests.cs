using Cairn.Planning.Scheduling;
using static Cairn.Planning.Tests.Scheduling.Requests;

namespace Cairn.Planning.Tests.Scheduling;

/// <summary>Simulated time: a stream of small jobs that always has one waiting, and one large request in the middle of it.</summary>
public sealed class StarvationTests
{
    private const long Second = 1_000_000;
    private const int Large = 1_000_000;

    /// <summary>The bound of the wait, and twice the longest run: a kept node may be exchanged for one that is closer to free.</summary>
    private const int LongestWait = 30 + 2 * 60;
    private readonly PriorityQueue<Guid, long> _ends = new();
    private readonly Random _random = new(7);
    private int _nextKey = 1;
    private int _placedOn = -1;
    private Guid? _lastSmall;

    [Fact]
    public void A_large_gang_is_placed_within_the_wait_and_the_longest_run_time() =>
        Assert.InRange(SecondsUntilPlaced(Cluster(4), Shape(gpus: 8, tasks: 4, sameDomain: true)), 31, LongestWait);

    [Fact]
    public void A_whole_node_is_placed_within_the_wait_and_the_longest_run_time() =>
        Assert.InRange(SecondsUntilPlaced(Cluster(4), Shape(gpus: 8)), 31, LongestWait);

    [Fact]
    public void A_gang_of_half_nodes_over_two_classes_is_placed()
    {
        var state = Cluster(2);
        state.AddNode(Node(nodeClass: "b"));
        Assert.InRange(SecondsUntilPlaced(state, Shape(gpus: 8, tasks: 3, classes: "a,b", mix: true)), 31, LongestWait);
    }

    [Fact]
    public void Without_reservations_it_starves_which_shows_that_the_stream_is_one() =>
        Assert.Equal(-1, SecondsUntilPlaced(Cluster(4, new SchedulerOptions { MaxReservations = 0 }), Shape(gpus: 8, tasks: 4)));

    [Fact]
    public void A_node_that_never_drains_is_given_up_though_it_is_the_emptiest()
    {
        var state = Cluster(1);
        var emptiest = state.AddNode(Node(nodeClass: "c"));
        Assert.Equal(emptiest, state.TryPlace(Request(900_000, Shape(gpus: 1, classes: "c")))![0].Node);
        Assert.InRange(SecondsUntilPlaced(state, Shape(gpus: 8, classes: "c,a")), 30 + 300, 30 + 300 + 2 * 60);
        Assert.NotEqual(emptiest, _placedOn);
    }

    [Fact]
    public void Small_jobs_run_on_beside_what_is_kept()
    {
        var state = Cluster(2);
        for (var key = 1; key <= 16; key++)
            Assert.NotNull(state.TryPlace(Request(key, Shape())));
        state.Submit(Request(Large, Shape(gpus: 8)));
        state.Decide(0);
        state.Decide(40 * Second);
        Assert.Equal(1, state.ReservationCount);
        for (var key = 1; key <= 16; key++)
            state.Release(Key(key));
        state.Submit(Request(20, Shape(), at: 40 * Second));
        Assert.Equal(2, state.Decide(41 * Second).Placements.Count);
        Assert.Equal(0, state.ReservationCount);
    }

    [Fact]
    public void Backfill_may_use_what_a_reservation_leaves_on_its_node_and_no_more()
    {
        var state = Cluster(1);
        var first = state.TryPlace(Request(1, Shape(gpus: 4)))!;
        Assert.NotNull(state.TryPlace(Request(2, Shape(gpus: 2))));
        state.Submit(Request(3, Shape(gpus: 6)));
        state.Decide(0);
        state.Decide(31 * Second);
        Assert.Equal(1, state.ReservationCount);
        Assert.Null(state.TryPlaceAt(31 * Second, Request(4, Shape(gpus: 1, cpus: 2))));
        state.Release(Key(1));
        state.Release(Key(2));
        Assert.Equal(Key(3), Assert.Single(state.Decide(32 * Second).Placements).Request.Key);
        Assert.NotNull(first);
        Assert.NotNull(state.TryPlaceAt(33 * Second, Request(5, Shape(gpus: 2))));
    }

    [Fact]
    public void Only_a_strictly_higher_priority_takes_what_is_kept()
    {
        var state = Cluster(2);
        Assert.NotNull(state.TryPlace(Request(1, Shape(gpus: 8))));
        state.Submit(Request(2, Shape(gpus: 8, tasks: 2)));
        state.Decide(0);
        state.Decide(31 * Second);
        Assert.Null(state.TryPlaceAt(31 * Second, Request(3, Shape())));
        Assert.Null(state.TryPlaceAt(31 * Second, Request(4, Shape(gpus: 8, tasks: 2, spread: true), priority: 60, at: 31 * Second)));
        Assert.Equal(1, state.ReservationCount);
        Assert.NotNull(state.TryPlaceAt(31 * Second, Request(5, Shape(), priority: 60, at: 31 * Second)));
    }

    private static SchedulerState Cluster(int nodes, SchedulerOptions? options = null)
    {
        var state = new SchedulerState(options);
        for (var i = 0; i < nodes; i++)
            state.AddNode(Node());
        return state;
    }

    /// <summary>Seconds from the large request until its placement; −1 where it was not placed within the limit.</summary>
    private int SecondsUntilPlaced(SchedulerState state, PlacementShape large)
    {
        var small = Shape(classes: "a,b");
        Round(state, small, 0);
        state.Submit(Request(Large, large, sequence: _nextKey++, at: 0));
        for (var second = 1; second <= 1000; second++)
        {
            while (_ends.TryPeek(out _, out var end) && end <= second * Second)
                state.Release(_ends.Dequeue());
            if (Round(state, small, second * Second))
                return second;
        }

        return -1;
    }

    /// <summary>Submits small jobs one by one until one has to wait.</summary>
    private bool Round(SchedulerState state, PlacementShape small, long now)
    {
        var largePlaced = false;
        var smallWaits = false;
        while (!smallWaits)
        {
            if (_lastSmall is null || state.Explain(_lastSmall.Value) is null)
            {
                state.Submit(Request(_nextKey, small, sequence: _nextKey, at: now));
                _lastSmall = Key(_nextKey++);
            }

            smallWaits = true;
            foreach (var placement in state.Decide(now).Placements)
            {
                smallWaits &= placement.Request.Key != _lastSmall;
                largePlaced |= placement.Request.Key == Key(Large);
                if (placement.Request.Key == Key(Large))
                    _placedOn = placement.Tasks[0].Node;
                else
                    _ends.Enqueue(placement.Request.Key, now + _random.Next(10, 60) * Second);
            }
        }

        return largePlaced;
    }
}
