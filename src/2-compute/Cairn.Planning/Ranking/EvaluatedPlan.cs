using Cairn.Contracts.Plans;
using Cairn.Planning.Fit;

namespace Cairn.Planning.Ranking;

/// <summary>A plan with what it was made from.</summary>
/// <param name="Choices">The tier of choices that the candidates are of; the last tier where there are none.</param>
/// <param name="PerPlace">The best candidate of each place, where asked for.</param>
internal sealed record EvaluatedPlan(Evaluation Evaluation, Plan Plan, Choice[] Choices, Ranked[] PerPlace)
{
    /// <summary>How many candidates are ranked at once; the rest are ranked when read.</summary>
    private const int FirstCandidates = 32;

    public static EvaluatedPlan Of(Evaluation evaluation)
    {
        var top = new TopSink(evaluation, FirstCandidates);
        var (tier, fitting) = Scan(evaluation, ref top);
        return Of(evaluation, top, [], tier, fitting);
    }

    public static EvaluatedPlan WithPlaces(Evaluation evaluation)
    {
        var both = new BothSinks(new TopSink(evaluation, FirstCandidates), new BestPerGroupSink(evaluation, null));
        var (tier, fitting) = Scan(evaluation, ref both);
        return Of(evaluation, both.Top, both.PerPlace.Best(), tier, fitting);
    }

    /// <summary>The first tier that has candidates.</summary>
    private static (int Tier, int Fitting) Scan<TSink>(Evaluation evaluation, ref TSink sink) where TSink : IRankedSink
    {
        var fitting = 0;
        var tier = 0;
        for (; tier < evaluation.Tiers.Length; tier++)
        {
            fitting = evaluation.Scan(evaluation.Tiers[tier], ref sink);
            if (fitting > 0)
                return (tier, fitting);
        }

        return (tier - 1, fitting);
    }

    private static EvaluatedPlan Of(Evaluation evaluation, TopSink top, Ranked[] perPlace, int tier, int fitting)
    {
        var choices = evaluation.Tiers[tier];
        var plan = new Plan
        {
            Candidates = new RankedCandidates(evaluation, choices, top.Best(), top.Count),
            Rejected = new RejectedOffers(evaluation, tier, evaluation.Snapshot.Count - fitting),
        };
        return new EvaluatedPlan(evaluation, plan, choices, perPlace);
    }
}
