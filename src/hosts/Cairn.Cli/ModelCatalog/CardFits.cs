using Cairn.Frameworks.Fitting;
using Cairn.Frameworks.ModelCatalog;
using Cairn.Hardware.Facts;

namespace Cairn.Cli.ModelCatalog;

/// <summary>The fewest of each known card that hold a model, up to 16 in one machine.</summary>
/// <param name="Cards">Null where 16 are too few.</param>
/// <param name="Fit">With that many.</param>
internal sealed record CardFit(string Name, int? Cards, FitAnswer.Fits? Fit, string? Reason)
{
    private const int MostCards = 16;

    public static IReadOnlyList<CardFit> All(OpenModel model, FitNeed need) => [.. Accelerators.All.Select(facts => Of(model, need,
        CardFacts.Of(facts)))];

    private static CardFit Of(OpenModel model, FitNeed need, ServingAccelerator card)
    {
        var last = "";
        foreach (var count in Frameworks.Fitting.Layout.TensorSplits(model.Shape, MostCards))
        {
            switch (ServingFit.Of(model, need, new ServingMachine(card, count)))
            {
                case FitAnswer.Fits fit:
                    return new CardFit(card.Name, count, fit, null);
                case FitAnswer.DoesNotFit misfit:
                    last = misfit.Reasons[^1];
                    break;
            }
        }

        return new CardFit(card.Name, null, null, last);
    }
}
