using Cairn.Contracts.Api;
using Cairn.Frameworks.Fitting;
using Cairn.Frameworks.ModelCatalog;

namespace Cairn.Cli.ModelCatalog;

/// <summary>A place where the model fits, with its speed and price.</summary>
internal sealed record OfferFit(OfferView Offer, ServingMachine Machine, FitAnswer.Fits Fit, double UsdPerHour, ServingPrice? Price)
{
    /// <summary>Machines that are rented.</summary>
    public int Machines => Fit.Layout.Stages;
}

/// <summary>A place where it does not.</summary>
internal sealed record OfferMisfit(OfferView Offer, IReadOnlyList<string> Reasons);

/// <summary>A model held against every offer: of each provider's machine the cheapest region.</summary>
/// <param name="Fits">Cheapest request first; last those without a published rate, by the hour.</param>
/// <param name="Misfits">In the order of the offers.</param>
/// <param name="WithoutAccelerator">Offers that were not looked at because they have no accelerator.</param>
internal sealed record OfferFits(IReadOnlyList<OfferFit> Fits, IReadOnlyList<OfferMisfit> Misfits, int WithoutAccelerator)
{
    public static OfferFits Of(OpenModel model, FitNeed need, IEnumerable<OfferView> offers, bool spot, int mostMachines)
    {
        var fits = new List<OfferFit>();
        var misfits = new List<OfferMisfit>();
        var without = 0;
        var answers = new Dictionary<ServingMachine, FitAnswer>();
        foreach (var machines in offers.GroupBy(offer => (offer.Provider, offer.InstanceType, offer.Accelerator, offer.AcceleratorCount)))
        {
            // Without a spot price an offer has none to compare when spot is asked for.
            var offer = machines.Where(one => PriceOf(one, spot) is not null).MinBy(one => PriceOf(one, spot));
            if (machines.Key.Accelerator is null)
                without++;
            else if (offer is null)
                misfits.Add(new OfferMisfit(machines.First(), ["no spot price"]));
            else if (CardFacts.Of(offer, mostMachines) is not { } machine)
                misfits.Add(new OfferMisfit(offer, [$"no data sheet of '{offer.Accelerator}' is known here"]));
            else
                Add(answers, machine, offer);
        }

        return new OfferFits(
            [.. fits.OrderBy(fit => fit.Price?.PerMillionRequests ?? double.MaxValue).ThenBy(fit => fit.UsdPerHour).ThenBy(fit =>
                fit.Offer.Id, StringComparer.Ordinal)],
            misfits, without);

        void Add(Dictionary<ServingMachine, FitAnswer> known, ServingMachine machine, OfferView offer)
        {
            if (!known.TryGetValue(machine, out var answer))
                known[machine] = answer = ServingFit.Of(model, need, machine);
            switch (answer)
            {
                case FitAnswer.Fits fit:
                    var usd = (double)PriceOf(offer, spot)!.Value * fit.Layout.Stages;
                    fits.Add(new OfferFit(offer, machine, fit, usd, fit.Speed is null ? null : ServingPrice.Of(usd, fit, need)));
                    break;
                case FitAnswer.DoesNotFit misfit:
                    misfits.Add(new OfferMisfit(offer, misfit.Reasons));
                    break;
            }
        }
    }

    private static decimal? PriceOf(OfferView offer, bool spot) => spot ? offer.SpotUsdPerHour : offer.OnDemandUsdPerHour;
}
