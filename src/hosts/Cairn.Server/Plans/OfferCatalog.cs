using Cairn.Contracts.Offers;
using Cairn.Fleet.Catalog;

namespace Cairn.Server.Plans;

/// <summary>The catalogue as this server has it, read once and again after every import.</summary>
internal sealed class OfferCatalog
{
    private readonly CatalogFile _file;
    private volatile CatalogListing _current;

    private OfferCatalog(CatalogFile file, CatalogListing first) => (_file, _current) = (file, first);

    public CatalogListing Current => _current;

    public static async Task<OfferCatalog> OpenAsync(string dataFolder, CancellationToken cancellationToken)
    {
        var file = new CatalogFile(dataFolder);
        return new OfferCatalog(file, CatalogListing.Of(1, await file.LoadAsync(cancellationToken)));
    }

    public async Task ImportAsync(IReadOnlyList<Offer> offers, CatalogMode mode, CancellationToken cancellationToken)
    {
        await _file.ImportAsync(offers, mode, cancellationToken);
        await ReloadAsync(cancellationToken);
    }

    /// <returns>False where nothing was imported for the provider.</returns>
    public async Task<bool> ForgetAsync(string provider, CancellationToken cancellationToken)
    {
        if (!_file.Forget(provider))
            return false;
        await ReloadAsync(cancellationToken);
        return true;
    }

    /// <summary>The offer of a machine, in its region or, where that is not listed, in any; null where the catalogue has none of the name.</summary>
    public Offer? Find(string provider, string region, string instanceType)
    {
        var offers = _current.ByMachine.GetValueOrDefault(CatalogListing.Key(provider, instanceType));
        return offers?.Find(offer => string.Equals(offer.Region.Name, region, StringComparison.OrdinalIgnoreCase)) ?? offers?[0];
    }

    private async Task ReloadAsync(CancellationToken cancellationToken) =>
        _current = CatalogListing.Of(_current.Version + 1, await _file.LoadAsync(cancellationToken));
}

/// <param name="Version">Grows with every change.</param>
/// <param name="Offers">Each id once.</param>
/// <param name="ByMachine">By provider and instance type.</param>
internal sealed record CatalogListing(long Version, IReadOnlyList<Offer> Offers, IReadOnlyDictionary<string, List<Offer>> ByMachine)
{
    public static CatalogListing Of(long version, LocalCatalog catalog) => new(
        version, catalog.Offers,
        catalog.Offers.GroupBy(offer => Key(offer.Provider, offer.InstanceType)).ToDictionary(group => group.Key, group => group.ToList(), StringComparer.Ordinal));

    public static string Key(string provider, string instanceType) => $"{provider}/{instanceType}".ToLowerInvariant();
}
