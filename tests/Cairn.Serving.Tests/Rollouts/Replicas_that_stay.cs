using Cairn.Contracts.Workloads;
using Cairn.Serving.Endpoints;
using Cairn.Serving.Rollouts;
using CsCheck;

namespace Cairn.Serving.Tests.Rollouts;

/// <summary>A base of replicas on machines that stay, and a share of those above, however replicas come and go.</summary>
public sealed class Replicas_that_stay
{
    private static readonly DateTimeOffset s_now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(0, 0, 5, 0)]
    [InlineData(2, 0, 5, 2)]
    [InlineData(2, 0, 1, 1)]
    [InlineData(0, 100, 5, 5)]
    [InlineData(1, 25, 5, 2)]
    [InlineData(1, 26, 5, 3)]
    [InlineData(0, 20, 10, 2)]
    [InlineData(0, 20, 0, 0)]
    public void A_base_and_a_share_rounded_up(int least, double percent, int replicas, int staying) =>
        Assert.Equal(staying, new OnDemandSplit(least, percent, Mixes: true).Of(replicas));

    [Fact]
    public void There_is_nothing_to_split_where_nothing_is_taken_away() => Assert.Equal(0, new OnDemandSplit(2, 50, Mixes: false).Of(8));

    [Fact]
    public void More_replicas_never_mean_fewer_that_stay() => Gen.Select(Gen.Int[0, 20], Gen.Double[0, 100], Gen.Int[0, 200]).Sample((least, percent, replicas) =>
    {
        var split = new OnDemandSplit(least, percent, Mixes: true);
        Assert.InRange(split.Of(replicas), Math.Min(least, replicas), replicas);
        Assert.InRange(split.Of(replicas + 1) - split.Of(replicas), 0, 1);
    });

    /// <summary>Replicas begin, are taken away and are scaled to any number; of those that are left when all is quiet, as many stay as the split says.</summary>
    [Fact]
    public void The_split_holds_whatever_happens() => Gen.Select(
        Gen.Int[0, 4], Gen.OneOf(0.0, 20, 50, 100), Gen.Select(Gen.Int[1, 12], Gen.Bool).Array[1, 20]).Sample((least, percent, steps) =>
    {
        var split = new OnDemandSplit(least, percent, Mixes: true);
        var live = new List<ReplicaFact>();
        var id = 0;
        foreach (var (wanted, lose) in steps)
        {
            // What can be taken away is, and nothing else.
            if (lose && live.FindIndex(r => !r.OnDemand) is var lost and >= 0)
                live.RemoveAt(lost);
            for (var quiet = false; !quiet;)
            {
                var facts = new RolloutFacts { Wanted = wanted, Revision = 1, Replicas = live, Splits = new Dictionary<int, OnDemandSplit> { [1] = split } };
                var decided = RolloutDecision.Decide(facts, new RolloutOptions(), s_now);
                quiet = decided.Count == 0;
                foreach (var step in decided)
                {
                    if (step is RolloutStep.Start)
                        live.Add(new ReplicaFact(Id(++id), 1, ReplicaPhase.Ready, s_now.AddSeconds(id), 0, split.IsNextOnDemand(wanted, live.Count(r => r.OnDemand))));
                    else
                        live.RemoveAll(r => r.Id == (step as RolloutStep.Drain)?.Replica || r.Id == (step as RolloutStep.Stop)?.Replica);
                }
                Assert.True(live.Count(r => r.OnDemand) >= Math.Min(split.Of(Math.Min(wanted, live.Count)), live.Count));
            }
            Assert.Equal(wanted, live.Count);
            Assert.True(live.Count(r => r.OnDemand) >= split.Of(wanted));
        }
    }, iter: 300);

    [Fact]
    public void Its_workload_allows_no_machine_that_can_be_taken_away()
    {
        var workload = WorkloadParser.Parse("""
            name: w
            run: exec serve "$PORT"
            where: {interruptible: true, residency: [EU]}
            resources: {any_of: [{accelerators: H100, interruptible: true}, {accelerators: L4}]}
            service: {port: 80, on_demand: {base: 1}}
            """, "w.yaml").File!.Steps[0].Workload;
        var staying = Revision.Staying(workload);
        Assert.False(staying.Where.Interruptible);
        Assert.All(staying.Resources.AnyOf, one => Assert.NotEqual(true, one.Interruptible));
        Assert.Equal((workload.Run, workload.Service!.Port, "EU"), (staying.Run, staying.Service!.Port, Assert.Single(staying.Where.Residency)));
    }

    [Fact]
    public void The_next_replica_avoids_where_most_are() => Assert.Equal(["own/c", "own/b", "own/a"], ReplicaSpread.Avoid(["own/a", "own/b", "own/a", "own/c", "own/b", "own/a"]));

    private static Guid Id(int number) => new(number, 0, 0, new byte[8]);
}
