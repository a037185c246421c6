using Cairn.Contracts.Plans;
using Cairn.Contracts.Units;
using Cairn.Contracts.Workloads;
using Cairn.Planning.Costs;
using Cairn.Planning.Offers;
using Cairn.Planning.Ranking;

namespace Cairn.Planning.Pipelines;

/// <summary>
/// Places the steps of a file together.
/// <list type="number">
/// <item>Every step is planned alone, without what other steps hand it or take from it.</item>
/// <item>Of every place, the step's best candidate there is kept.</item>
/// <item>The places are chosen that make steps and handovers cheapest together. A step without any place is left out.</item>
/// </list>
/// </summary>
internal static class PipelinePlanning
{
    public static PipelinePlan Plan(WorkloadFile file, OfferSnapshot offers, PlanningContext context)
    {
        // 1.
        var (workloads, handovers) = PipelineData.Of(file);
        var plans = Array.ConvertAll(workloads, w => EvaluatedPlan.WithPlaces(new Evaluation(w, offers, context)));

        // 2.
        var columns = offers.Columns;
        var placed = Enumerable.Range(0, workloads.Length).Where(s => plans[s].PerPlace.Length > 0).ToArray();
        var options = Array.ConvertAll(placed, s => StepOptions.Of(plans[s].PerPlace, columns));
        var edges = handovers.Where(h => placed.Contains(h.From) && placed.Contains(h.To)).ToArray();

        // 3.
        var problem = new PlacementProblem(options, Array.ConvertAll(edges, h => PlacementEdge.Of(
            Array.IndexOf(placed, h.From), Array.IndexOf(placed, h.To), h.Bytes, options[Array.IndexOf(placed, h.From)], columns, context)));
        var chosen = placed.Length == 0 ? [] : GraphPlacement.Solve(problem);
        var candidates = new Candidate?[workloads.Length];
        for (var i = 0; i < placed.Length; i++)
        {
            var plan = plans[placed[i]];
            candidates[placed[i]] = CandidateBill.Write(plan.Evaluation, plan.Choices, options[i].Candidates[chosen[i]]);
        }

        return new PipelinePlan
        {
            Steps = [.. file.Steps.Select((s, i) => new PlannedStep(s.Name, candidates[i], plans[i].Plan))],
            Transfers = Transfers(file, edges, candidates, problem, chosen),
            Total = placed.Length == workloads.Length && placed.Length > 0 ? new Money(problem.Cost(chosen)) : null,
        };
    }

    private static List<PlannedTransfer> Transfers(
        WorkloadFile file, Handover[] handovers, Candidate?[] candidates, PlacementProblem problem, int[] chosen)
    {
        var transfers = new List<PlannedTransfer>();
        for (var i = 0; i < handovers.Length; i++)
        {
            var edge = problem.Edges[i];
            var cost = problem.EdgeCost(edge, chosen[edge.From], chosen[edge.To]);
            if (cost == 0)
                continue;
            var (from, to) = (candidates[handovers[i].From]!.Offer, candidates[handovers[i].To]!.Offer);
            var over = problem.Steps[edge.From].Provider[chosen[edge.From]] == problem.Steps[edge.To].Provider[chosen[edge.To]]
                ? "across regions"
                : "over the internet";
            transfers.Add(new PlannedTransfer(
                file.Steps[handovers[i].From].Name, file.Steps[handovers[i].To].Name, handovers[i].Bytes, new Money(cost),
                $"{Words.Bytes(handovers[i].Bytes)} from {from.Provider}/{from.Region.Name} to {to.Provider}/{to.Region.Name} {over}"));
        }

        return transfers;
    }
}
