using Cairn.Contracts.Api;
using Cairn.Contracts.Offers;
using Cairn.Contracts.Workloads;

namespace Cairn.Server.Plans;

/// <summary>Which offers a listing shows. Null and empty let all through.</summary>
public sealed record OfferFilter
{
    /// <summary>An accelerator's name, or the beginning of one: <c>H100</c> shows every H100.</summary>
    public string? Gpu { get; init; }

    /// <summary>A deployment model in the API's words.</summary>
    public string? Model { get; init; }

    public string? Provider { get; init; }

    /// <summary><c>us-*</c> matches a prefix.</summary>
    public string? Region { get; init; }

    public IReadOnlyList<string> Certifications { get; init; } = [];

    /// <summary>Of one machine, per hour on demand.</summary>
    public decimal? MaxPriceUsd { get; init; }

    /// <summary>What is wrong with the filter, in words; null when nothing is.</summary>
    public string? Problem()
    {
        if (Model is not null && EnumWords.Find<DeploymentModel>(Model) is null)
            return $"'{Model}' is not a deployment model; expected {string.Join(", ", EnumWords.All<DeploymentModel>())}.";
        return MaxPriceUsd < 0 ? $"The highest price is {MaxPriceUsd}; expected 0 or more." : null;
    }

    /// <summary>The offers that match, cheapest machine first.</summary>
    public IEnumerable<Offer> Apply(IEnumerable<Offer> offers)
    {
        var model = Model is null ? null : EnumWords.Find<DeploymentModel>(Model);
        return offers
            .Where(offer => Gpu is null || (offer.Accelerators is { } gpu && AcceleratorName.Matches(Gpu.ToUpperInvariant(), gpu.Name)))
            .Where(offer => model is null || offer.DeploymentModel == model)
            .Where(offer => Provider is null || string.Equals(offer.Provider, Provider, StringComparison.OrdinalIgnoreCase))
            .Where(offer => Region is null || RegionPattern.Matches(Region, offer.Provider, offer.Region.Name))
            .Where(offer => Certifications.All(wanted => offer.Certifications.Contains(wanted, StringComparer.OrdinalIgnoreCase)))
            .Where(offer => MaxPriceUsd is null || offer.OnDemand.UsdPerHour <= MaxPriceUsd)
            .OrderBy(offer => offer.OnDemand).ThenBy(offer => offer.Id, StringComparer.Ordinal);
    }
}
