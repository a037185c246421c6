using Cairn.Contracts.Offers;
using Cairn.Contracts.Plans;
using Cairn.Contracts.Units;
using Cairn.Contracts.Workloads;
using Cairn.Planning.Offers;
using Cairn.Planning.Pipelines;
using Cairn.Planning.Ranking;
using CsCheck;

namespace Cairn.Planning.Tests.Pipelines;

/// <summary>The placement of a DAG against all placements there are.</summary>
public sealed class Exact_placement_Tests
{
    [Fact]
    public void Every_small_pipeline_costs_what_the_cheapest_of_all_placements_costs() =>
        Gen.Select(Catalogue(2, 7), File(5)).Sample((offers, file) =>
        {
            var plan = Planner.Plan(file, OfferSnapshot.Compile(offers), PlanningContext.Default);
            Assert.Equal(BruteForce(file, plan), plan.Total!.Value.Micros);
            var sum = plan.Steps.Sum(s => s.Chosen!.Total.Micros) + plan.Transfers.Sum(t => t.Cost.Micros);
            Assert.Equal(sum, plan.Total.Value.Micros);
            Assert.All(plan.Steps, s => Assert.Contains(s.Plan.Candidates, c => c.Offer == s.Chosen!.Offer && c.Total == s.Chosen.Total));
        }, iter: 400, print: t => t.Item2.ToString());

    [Fact]
    public void The_solver_finds_the_cheapest_of_all_placements() =>
        Problem(5, 4).Sample(problem =>
        {
            var hint = new int[problem.Steps.Length];
            var least = All(problem).Min(problem.Cost);
            Assert.Equal(least, problem.Cost(SolverPlacement.Solve(problem, hint)));
            Assert.Equal(least, problem.Cost(GraphPlacement.Solve(problem)));
        }, iter: 150);

    [Fact]
    public void The_least_cost_with_a_step_at_an_option_is_right_for_every_option_of_a_forest() =>
        Problem(5, 4).Sample(problem =>
        {
            var forest = TreePlacement.SpanningForest(problem.Steps.Length, problem.Edges);
            var tree = new PlacementProblem(problem.Steps, [.. forest]);
            var solved = TreePlacement.Solve(tree, forest);
            var marginals = solved.Marginals();
            Assert.Equal(All(tree).Min(tree.Cost), tree.Cost(solved.Best()));
            for (var s = 0; s < tree.Steps.Length; s++)
            {
                for (var o = 0; o < tree.Steps[s].Count; o++)
                    Assert.Equal(All(tree).Where(c => c[s] == o).Min(tree.Cost), marginals[s][o]);
            }
        }, iter: 300);

    private static IEnumerable<int[]> All(PlacementProblem problem)
    {
        IEnumerable<int[]> all = [[]];
        foreach (var step in problem.Steps)
            all = all.SelectMany(c => Enumerable.Range(0, step.Count).Select(o => (int[])[.. c, o]));
        return all;
    }

    /// <summary>Over every candidate of every step, not only the best of each place, with edges priced from the offers themselves.</summary>
    private static long BruteForce(WorkloadFile file, PipelinePlan plan)
    {
        var number = file.Steps.Select((s, i) => (s.Name, i)).ToDictionary(p => p.Name, p => p.i);
        var edges = file.Steps.SelectMany((s, to) => s.Needs.Select(n => (From: number[n], To: to))).ToArray();
        var chosen = new Candidate[file.Steps.Count];
        return Least(0);

        long Least(int step)
        {
            if (step == chosen.Length)
                return edges.Sum(e => Transfer(chosen[e.From].Offer, chosen[e.To].Offer, file.Steps[e.From].Workload.Outputs.Sum(o => o.SizeBytes)));
            var least = long.MaxValue;
            foreach (var candidate in plan.Steps[step].Plan.Candidates)
            {
                chosen[step] = candidate;
                least = Math.Min(least, candidate.Total.Micros + Least(step + 1));
            }

            return least;
        }
    }

    private static long Transfer(Offer from, Offer to, long bytes)
    {
        var micros = from.Provider != to.Provider ? from.Egress.Internet.Single().PerGigabyte.Micros
            : from.Region.Name != to.Region.Name ? from.Egress.CrossRegionPerGigabyte.Micros
            : 0;
        return (long)((Int128)bytes * micros / 1_000_000_000);
    }

    private static Gen<Offer[]> Catalogue(int min, int max) => Gen.Select(
        Gen.OneOf("A", "B", "C"), Gen.OneOf("r1", "r2"), Gen.Int[1, 40], Gen.Int[0, 12], Gen.Int[0, 15],
        (provider, region, price, internet, cross) => Sample.Offer(provider, region, "x", price) with
        {
            Egress = new EgressPrices
            {
                Internet = [new PriceRung(null, Money.FromUsd(internet / 100m))], CrossRegionPerGigabyte = Money.FromUsd(cross / 100m),
            },
        }).Array[min, max].Select(offers => offers.Select((o, i) => o with { Id = o.Id + i }).ToArray());

    private static Gen<WorkloadFile> File(int maxSteps) =>
        from steps in Gen.Int[1, maxSteps]
        from bytes in Gen.Long[0, 2000].Array[steps]
        from hours in Gen.Int[1, 5].Array[steps]
        from needs in Gen.Bool.Array[steps * steps]
        select new WorkloadFile
        {
            Name = "dag",
            Steps =
            [
                .. Enumerable.Range(0, steps).Select(i => new StepSpec
                {
                    Name = $"s{i}",
                    Needs = [.. Enumerable.Range(0, i).Where(j => needs[i * steps + j]).Select(j => $"s{j}")],
                    Workload = Sample.Workload(hours: hours[i]) with
                    {
                        Name = $"s{i}", Outputs = [new DataSpec { Name = "o", SizeBytes = bytes[i] * Sample.GB }],
                    },
                }),
            ],
        };

    private static Gen<PlacementProblem> Problem(int maxSteps, int maxOptions) =>
        from steps in Gen.Int[2, maxSteps]
        from options in Options(maxOptions).Array[steps]
        from joined in Gen.Bool.Array[steps * steps]
        from costs in Gen.Select(Gen.Long[0, 100], Gen.Long[0, 100]).Array[maxOptions].Array[steps * steps]
        select new PlacementProblem(options,
        [
            .. from to in Enumerable.Range(0, steps)
               from @from in Enumerable.Range(0, to)
               where joined[to * steps + @from]
               let c = costs[to * steps + @from].Take(options[@from].Count).ToArray()
               select new PlacementEdge(@from, to, Array.ConvertAll(c, x => x.Item1), Array.ConvertAll(c, x => x.Item2)),
        ]);

    private static Gen<StepOptions> Options(int max) =>
        from count in Gen.Int[1, max]
        from own in Gen.Long[0, 150].Array[count]
        from provider in Gen.Int[0, 2].Array[count]
        from region in Gen.Int[0, 1].Array[count]
        select new StepOptions(new Ranked[count], own, provider, [.. provider.Zip(region, (p, r) => p * 2 + r)], new int[count]);
}
