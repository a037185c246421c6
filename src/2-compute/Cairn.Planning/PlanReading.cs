using Cairn.Contracts.Plans;
using Cairn.Planning.Ranking;

namespace Cairn.Planning;

/// <summary>Summaries of a plan for people, cheaper than reading it whole.</summary>
public static class PlanReading
{
    /// <summary>
    /// How many offers are out for each reason, by code of <see cref="ReasonCodes"/>, most first; an offer with several reasons counts for each.
    /// </summary>
    public static IReadOnlyDictionary<string, int> RejectedByCode(this Plan plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        if (plan.Rejected is RejectedOffers offers)
            return offers.CountByCode();
        return plan.Rejected.SelectMany(r => r.Reasons).CountBy(r => r.Code).OrderByDescending(c => c.Value)
            .ToDictionary(c => c.Key, c => c.Value, StringComparer.Ordinal);
    }
}
