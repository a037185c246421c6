using Cairn.Serving.Rollouts;
using CsCheck;

namespace Cairn.Serving.Tests.Rollouts;

public sealed class A_rollout
{
    private static readonly DateTimeOffset s_start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly RolloutOptions s_options = new();

    [Fact]
    public void Begins_new_replicas_before_old_ones_leave()
    {
        var world = new World { Wanted = 3, Revision = 1 };
        world.Settle();
        Assert.Equal([1, 1, 1], world.ReadyRevisions);
        (world.Revision, world.Previous) = (2, 1);
        world.Turn();
        Assert.Equal(1, world.Count(2, ReplicaPhase.Starting));
        Assert.Equal([1, 1, 1], world.ReadyRevisions);
        world.Settle(() => Assert.True(world.ReadyRevisions.Count() >= 3, "fewer ready than wanted"));
        Assert.Equal([2, 2, 2], world.ReadyRevisions);
    }

    [Fact]
    public void Never_has_fewer_ready_than_wanted_nor_more_live_than_the_surge() =>
        Gen.Select(Gen.Int[1, 12], Gen.Int[1, 4], Gen.Int[1, 99], Gen.Bool, Gen.Int).Sample((wanted, surge, percent, canary, seed) =>
        {
            var world = new World { Wanted = wanted, Revision = 1, Random = new Random(seed), Options = new RolloutOptions { Surge = surge } };
            world.Settle();
            if (canary)
                (world.Canary, world.CanaryPercent) = (2, percent);
            else
                (world.Revision, world.Previous) = (2, 1);
            world.Settle(() =>
            {
                Assert.True(world.ReadyRevisions.Count() >= wanted);
                Assert.True(world.Live <= wanted + surge + (canary ? 1 : 0), $"{world.Live} live of {wanted}");
            });
            if (canary)
                Assert.Contains(2, world.ReadyRevisions);
            else
                Assert.All(world.ReadyRevisions, r => Assert.Equal(2, r));
        });

    [Fact]
    public void A_replica_with_a_stream_is_not_stopped_until_the_stream_ends_or_the_drain_is_over()
    {
        var replica = new ReplicaFact(Guid.NewGuid(), 1, ReplicaPhase.Draining, s_start, 1);
        var facts = new RolloutFacts { Wanted = 0, Revision = 1, Replicas = [replica] };
        Assert.Empty(RolloutDecision.Decide(facts, s_options, s_start.AddMinutes(59)));
        Assert.Equal([new RolloutStep.Stop(replica.Id)], RolloutDecision.Decide(facts, s_options, s_start.AddMinutes(60)));
        facts = facts with { Replicas = [replica with { InFlight = 0 }] };
        Assert.Empty(RolloutDecision.Decide(facts, s_options, s_start.AddSeconds(0.9)));
        Assert.Single(RolloutDecision.Decide(facts, s_options, s_start.AddSeconds(1)));
    }

    [Fact]
    public void Goes_back_when_the_new_revision_never_gets_ready()
    {
        var old = new ReplicaFact(Guid.NewGuid(), 1, ReplicaPhase.Ready, s_start, 0);
        var facts = new RolloutFacts { Wanted = 1, Revision = 2, Previous = 1, Replicas = [old], FailedStarts = 3, LastFailure = s_start };
        Assert.IsType<RolloutStep.GoBack>(Assert.Single(RolloutDecision.Decide(facts, s_options, s_start.AddHours(1))));
        // A first revision has nothing to go back to, and is tried again and again, more slowly.
        facts = facts with { Revision = 1, Previous = null, Replicas = [], FailedStarts = 4 };
        Assert.Empty(RolloutDecision.Decide(facts, s_options, s_start.AddSeconds(7)));
        Assert.Equal([new RolloutStep.Start(1)], RolloutDecision.Decide(facts, s_options, s_start.AddSeconds(8)));
    }

    [Theory]
    [InlineData(19, 10, 100.0, false)] // too few to judge
    [InlineData(20, 0, 100.0, false)]
    [InlineData(20, 3, 100.0, true)]
    [InlineData(20, 0, 199.0, false)]
    [InlineData(20, 0, 201.0, true)]
    public void A_canary_goes_back_on_errors_or_latency(int requests, int failures, double latency, bool back)
    {
        var facts = new RolloutFacts
        {
            Wanted = 2, Revision = 1, Canary = 2, CanaryPercent = 10,
            Replicas = [Ready(1), Ready(2)],
            StableHealth = new RevisionHealth(1000, 10, 100), CanaryHealth = new RevisionHealth(requests, failures, latency),
        };
        Assert.Equal(back, RolloutDecision.Decide(facts, s_options, s_start).Any(s => s is RolloutStep.GoBack { From: 2 }));
    }

    [Fact]
    public void A_canary_gets_its_percent_and_only_once_it_is_ready()
    {
        var facts = new RolloutFacts { Wanted = 4, Revision = 1, Canary = 2, CanaryPercent = 5, Replicas = [Ready(1), Ready(1), Ready(1)] };
        Assert.Equal([new(1, 3)], RolloutDecision.Weights(facts));
        facts = facts with { Replicas = [.. facts.Replicas, Ready(2)] };
        Assert.Equal([new(1, 95), new(2, 5)], RolloutDecision.Weights(facts).OrderBy(w => w.Key));
    }

    [Fact]
    public void Where_a_new_replica_finds_no_room_one_of_several_old_ones_makes_some()
    {
        var facts = new RolloutFacts { Wanted = 2, Revision = 2, Replicas = [Ready(1), Ready(1), Ready(2) with { Phase = ReplicaPhase.Starting }] };
        Assert.DoesNotContain(RolloutDecision.Decide(facts, s_options, s_start), s => s is RolloutStep.Drain);
        Assert.Single(RolloutDecision.Decide(facts with { NoRoom = true }, s_options, s_start), s => s is RolloutStep.Drain);
        facts = facts with { Wanted = 1, Replicas = [facts.Replicas[0], facts.Replicas[2]], NoRoom = true };
        Assert.DoesNotContain(RolloutDecision.Decide(facts, s_options, s_start), s => s is RolloutStep.Drain);
    }

    [Fact]
    public void Stopping_drains_what_answers_and_stops_what_does_not()
    {
        var facts = new RolloutFacts { Wanted = 2, Revision = 1, Stopping = true, Replicas = [Ready(1), Ready(1) with { Phase = ReplicaPhase.Starting }] };
        var steps = RolloutDecision.Decide(facts, s_options, s_start);
        Assert.Equal([typeof(RolloutStep.Drain), typeof(RolloutStep.Stop)], steps.Select(s => s.GetType()));
    }

    private static ReplicaFact Ready(int revision) => new(Guid.NewGuid(), revision, ReplicaPhase.Ready, s_start, 0);

    /// <summary>Replicas that get ready, and end when stopped, in turns.</summary>
    private sealed class World
    {
        private readonly List<ReplicaFact> _replicas = [];
        private DateTimeOffset _now = s_start;
        private int _made;

        public required int Wanted { get; init; }
        public int Revision { get; set; }
        public int? Previous { get; set; }
        public int? Canary { get; set; }
        public int CanaryPercent { get; set; }
        public Random Random { get; init; } = new(1);
        public RolloutOptions Options { get; init; } = s_options;

        public IEnumerable<int> ReadyRevisions => _replicas.Where(r => r.Phase == ReplicaPhase.Ready).Select(r => r.Revision);

        public int Live => _replicas.Count(r => r.Phase is ReplicaPhase.Ready or ReplicaPhase.Starting);

        public int Count(int revision, ReplicaPhase phase) => _replicas.Count(r => r.Revision == revision && r.Phase == phase);

        public bool Turn()
        {
            var facts = new RolloutFacts
            {
                Wanted = Wanted, Revision = Revision, Previous = Previous, Canary = Canary, CanaryPercent = CanaryPercent, Replicas = [.. _replicas],
            };
            var steps = RolloutDecision.Decide(facts, Options, _now);
            foreach (var step in steps)
            {
                switch (step)
                {
                    case RolloutStep.Start start:
                        _replicas.Add(new ReplicaFact(new Guid(++_made, 0, 0, new byte[8]), start.Revision, ReplicaPhase.Starting, _now, 0));
                        break;
                    case RolloutStep.Drain drain:
                        Change(drain.Replica, ReplicaPhase.Draining);
                        break;
                    case RolloutStep.Stop stop:
                        _replicas.RemoveAll(r => r.Id == stop.Replica);
                        break;
                }
            }
            return steps.Count > 0;
        }

        /// <summary>Takes turns until nothing changes.</summary>
        public void Settle(Action? check = null)
        {
            for (var quiet = 0; quiet < 5;)
            {
                Assert.True(_now < s_start.AddHours(1), "it never settles");
                quiet = Turn() ? 0 : quiet + 1;
                if (_replicas.Where(r => r.Phase == ReplicaPhase.Starting).ToList() is { Count: > 0 } starting && Random.Next(2) == 0)
                {
                    Change(starting[Random.Next(starting.Count)].Id, ReplicaPhase.Ready);
                    quiet = 0;
                }
                quiet = _replicas.Any(r => r.Phase is ReplicaPhase.Starting or ReplicaPhase.Draining) ? 0 : quiet;
                _now = _now.AddSeconds(1);
                check?.Invoke();
            }
        }

        private void Change(Guid id, ReplicaPhase phase)
        {
            var at = _replicas.FindIndex(r => r.Id == id);
            _replicas[at] = _replicas[at] with { Phase = phase, Since = _now };
        }
    }
}
