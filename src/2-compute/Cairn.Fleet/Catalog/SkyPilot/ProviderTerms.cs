using Cairn.Contracts.Offers;

namespace Cairn.Fleet.Catalog.SkyPilot;

/// <summary>
/// What a public catalogue leaves out of an offer (hidden prices, terms, promises) is taken from the built-in offers of the same
/// provider: of the same region, else the same country, else any region that is not held to have more certificates.
/// </summary>
internal sealed class ProviderTerms
{
    private static readonly (string Alias, string Name)[] s_aliases =
    [
        ("vast", "Vast.ai"), ("ionet", "io.net"), ("hotaisle", "Hot Aisle"), ("lambdalabs", "Lambda"), ("google", "GCP"), ("runpod", "RunPod"),
    ];

    private readonly List<Offer> _known;
    private readonly Dictionary<(string Region, bool Accelerated), Offer?> _nearest = [];

    /// <param name="provider">As the person wrote it.</param>
    public ProviderTerms(string provider)
    {
        Provider = s_aliases.FirstOrDefault(alias => alias.Alias.Equals(provider, StringComparison.OrdinalIgnoreCase)).Name
            ?? BuiltInCatalog.Offers.FirstOrDefault(offer => offer.Provider.Equals(provider, StringComparison.OrdinalIgnoreCase))?.Provider
            ?? provider;
        _known = [.. BuiltInCatalog.Offers.Where(offer => offer.Provider == Provider).OrderBy(offer => offer.Certifications.Count)];
    }

    /// <summary>The provider's name as the built-in catalogue spells it.</summary>
    public string Provider { get; }

    /// <summary>How an offer's source tells where its terms come from.</summary>
    public string Note =>
        _known.Count > 0 ? "hidden prices and terms as in the built-in catalogue" : "hidden prices and terms unknown, taken as none";

    /// <summary>An offer to copy terms from; its own prices and machine mean nothing.</summary>
    public Offer? Nearest(Region region, bool accelerated)
    {
        if (_nearest.TryGetValue((region.Name, accelerated), out var offer))
            return offer;
        offer = _known.Where(known => (known.Accelerators is not null) == accelerated)
            .DefaultIfEmpty(_known.FirstOrDefault()).OfType<Offer>()
            .MinBy(known => known.Region.Name == region.Name ? 0 : known.Region.Country == region.Country ? 1 : 2);
        _nearest.Add((region.Name, accelerated), offer);
        return offer;
    }

    /// <summary>The network of a machine type is the provider's in any region; unknown types are taken to have none worth naming.</summary>
    public InterconnectKind Interconnect(string instanceType) =>
        _known.FirstOrDefault(offer => offer.InstanceType == instanceType)?.Interconnect ?? InterconnectKind.Ethernet;
}
