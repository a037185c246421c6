using Cairn.Contracts.Plans;
using Cairn.Contracts.Workloads;
using Cairn.Planning.Offers;
using Cairn.Planning.Pipelines;
using Cairn.Planning.Ranking;

namespace Cairn.Planning;

/// <summary>
/// Decides where a workload runs: every offer either fits and gets its whole expected bill, or is out for reasons that are all named. A function of
/// its arguments: the same workload, offers and facts give the same plan anywhere.
/// </summary>
public static class Planner
{
    /// <summary>Ranks the offers for one workload. Inputs that name a step cost nothing here: they are priced with their pipeline.</summary>
    public static Plan Plan(WorkloadSpec workload, OfferSnapshot offers, PlanningContext context)
    {
        ArgumentNullException.ThrowIfNull(workload);
        ArgumentNullException.ThrowIfNull(offers);
        ArgumentNullException.ThrowIfNull(context);
        return EvaluatedPlan.Of(new Evaluation(workload, offers, context)).Plan;
    }

    /// <summary>
    /// Places all steps of a file together with the data that moves between them: no other choice of places makes steps and transfers cheaper. Each
    /// step is also ranked as if alone; the totals there leave out what other steps hand it, which <see cref="PipelinePlan.Transfers"/> price.
    /// </summary>
    /// <exception cref="ArgumentException">Two steps have one name, or a step needs itself or one that is not there.</exception>
    public static PipelinePlan Plan(WorkloadFile file, OfferSnapshot offers, PlanningContext context)
    {
        ArgumentNullException.ThrowIfNull(file);
        ArgumentNullException.ThrowIfNull(offers);
        ArgumentNullException.ThrowIfNull(context);
        return PipelinePlanning.Plan(file, offers, context);
    }
}
