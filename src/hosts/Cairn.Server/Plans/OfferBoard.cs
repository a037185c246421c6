using Cairn.Fleet.Nodes;
using Cairn.Planning.Offers;

namespace Cairn.Server.Plans;

/// <summary>Everything that is on offer now: the nodes that joined, and the catalogue. Compiled anew only when one of them changed.</summary>
internal sealed class OfferBoard(OfferCatalog catalog, NodeBoard nodes)
{
    private readonly Lock _gate = new();
    private (long Catalog, long Nodes, OfferSnapshot Snapshot)? _compiled;

    /// <summary>Only the nodes that joined.</summary>
    public OfferSnapshot Runnable() => OfferSnapshot.Compile(nodes.Offers().Offers);

    public OfferSnapshot Current()
    {
        var listed = catalog.Current;
        var (version, offers) = nodes.Offers();
        lock (_gate)
        {
            if (_compiled is not { } compiled || compiled.Catalog != listed.Version || compiled.Nodes != version)
                _compiled = compiled = (listed.Version, version, OfferSnapshot.Compile([.. offers, .. listed.Offers]));
            return compiled.Snapshot;
        }
    }
}
