using Cairn.Contracts.Offers;

namespace Cairn.Fleet.Catalog;

/// <summary>
/// The offers that Cairn knows without a network: <c>offers.csv</c> beside this file. Each says where its figures come from and when they
/// held; what is assumed or derived says so in <see cref="Offer.Source"/>.
/// </summary>
public static class BuiltInCatalog
{
    private static readonly Lazy<IReadOnlyList<Offer>> s_offers = new(Load);

    public static IReadOnlyList<Offer> Offers => s_offers.Value;

    private static IReadOnlyList<Offer> Load()
    {
        using var stream = EmbeddedFile.Open("offers.csv");
        var result = CatalogImport.Read(stream, CatalogFormat.Cairn, provider: null, "offers.csv", DateOnly.MinValue);
        return result.ErrorCount == 0
            ? result.Offers
            : throw new InvalidOperationException($"The built-in catalogue is broken: {result.Errors[0]}");
    }
}
