using Cairn.Cli.Connection;
using Cairn.Contracts.Offers;
using Cairn.Fleet.Catalog;
using Cairn.Planning.Offers;

namespace Cairn.Cli.Offers;

/// <summary>The catalogue that commands use when no server is named: the built-in one and what was imported on this machine.</summary>
internal static class LocalOffers
{
    public static CatalogFile File => new(ServerContext.Home);

    public static async Task<IReadOnlyList<Offer>> LoadAsync(CancellationToken cancellationToken) => (await File.LoadAsync(cancellationToken)).Offers;

    public static async Task<OfferSnapshot> CompileAsync(CancellationToken cancellationToken) => OfferSnapshot.Compile(await LoadAsync(cancellationToken));
}
