using BenchmarkDotNet.Attributes;
using Cairn.Contracts.Plans;
using Cairn.Planning;
using Cairn.Planning.Offers;

namespace Cairn.Bench.Planning;

/// <summary>Time and memory of one plan over 100,000 offers.</summary>
[MemoryDiagnoser]
public class PlanningBenchmarks
{
    private OfferSnapshot _offers = null!;

    [GlobalSetup]
    public void Setup() => _offers = OfferSnapshot.Compile(SyntheticOffers.Make(100_000));

    [Benchmark]
    public Candidate Training() => Planner.Plan(PlanningWorkloads.Training, _offers, PlanningContext.Default).Candidates[0];

    [Benchmark]
    public Candidate Anything() => Planner.Plan(PlanningWorkloads.Anything, _offers, PlanningContext.Default).Candidates[0];

    [Benchmark]
    public PipelinePlan Dag() => Planner.Plan(PlanningWorkloads.Dag, _offers, PlanningContext.Default);

    [Benchmark]
    public OfferSnapshot Compile() => OfferSnapshot.Compile(_offers.Offers);
}
