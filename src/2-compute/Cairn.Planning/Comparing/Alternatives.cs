using Cairn.Contracts.Plans;
using Cairn.Contracts.Workloads;
using Cairn.Planning.Offers;
using Cairn.Planning.Ranking;

namespace Cairn.Planning.Comparing;

/// <summary>What a finished job used.</summary>
public sealed record ActualUse
{
    /// <summary>How long its machines worked, repeats included, in seconds; not negative.</summary>
    public required long RunSeconds { get; init; }

    /// <summary>What it read, with sizes; null where the workload's own inputs say it.</summary>
    public IReadOnlyList<DataSpec>? Inputs { get; init; }

    /// <summary>What it wrote, with sizes; null where the workload's own outputs say it.</summary>
    public IReadOnlyList<DataSpec>? Outputs { get; init; }
}

/// <summary>
/// What a finished job would have cost elsewhere, for its invoice. Only the hardware must fit, as many machines as it had: where it may run, what it
/// may cost and what is free now are no longer questions. Its time is known, so nothing is added for interruptions that did not happen.
/// </summary>
public static class Alternatives
{
    /// <returns>The cheapest candidate of each provider that has the hardware, cheapest first.</returns>
    public static IReadOnlyList<Candidate> CostAt(WorkloadSpec workload, ActualUse use, OfferSnapshot offers, PlanningContext context)
    {
        ArgumentNullException.ThrowIfNull(workload);
        ArgumentNullException.ThrowIfNull(use);
        ArgumentNullException.ThrowIfNull(offers);
        ArgumentNullException.ThrowIfNull(context);
        ArgumentOutOfRangeException.ThrowIfNegative(use.RunSeconds);
        var evaluation = new Evaluation(Finished(workload, use), offers, context, certain: true);
        var columns = offers.Columns;
        var providerOfPlace = Array.ConvertAll(columns.Places, p => p.ProviderKey);
        var sink = new BestPerGroupSink(evaluation, providerOfPlace);
        evaluation.Scan(evaluation.Tiers[0], ref sink);
        var ranked = sink.Best();
        Array.Sort(ranked);
        return [.. ranked.Select(r => CandidateBill.Write(evaluation, evaluation.Tiers[0], r))];
    }

    private static WorkloadSpec Finished(WorkloadSpec workload, ActualUse use)
    {
        var resources = workload.Resources;
        // Once it has run, every choice that would have done is a place to compare.
        var choices = (resources.Ordered.Count > 0 ? resources.Ordered : resources.AnyOf)
            .Select(r => r with { Regions = [], MaxPricePerHour = null, NodeLabels = new SortedDictionary<string, string>(StringComparer.Ordinal) });
        return workload with
        {
            Resources = resources with
            {
                AnyOf = [.. choices], Ordered = [], Regions = [], MaxPricePerHour = null,
                NodeLabels = new SortedDictionary<string, string>(StringComparer.Ordinal),
            },
            Where = new WhereSpec { Interruptible = workload.Where.Interruptible },
            Money = new MoneySpec { ExpectedDurationSeconds = use.RunSeconds },
            Inputs = use.Inputs ?? workload.Inputs,
            Outputs = use.Outputs ?? workload.Outputs,
        };
    }
}
