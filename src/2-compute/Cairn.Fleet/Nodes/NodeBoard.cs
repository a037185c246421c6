using Cairn.Contracts.Ids;
using Cairn.Contracts.Offers;

namespace Cairn.Fleet.Nodes;

/// <summary>
/// What the layers above may know of the nodes: what they offer, and what leaving them costs. In memory; safe to ask from any thread.
/// </summary>
public sealed class NodeBoard
{
    private readonly FleetNodes _nodes;
    private static readonly EgressPrices s_free = new();

    private readonly NodeOffers _offers;
    private volatile EgressByOffer _egress = new(-1, new Dictionary<string, EgressPrices>());

    internal NodeBoard(FleetNodes nodes, NodeOffers offers) => (_nodes, _offers) = (nodes, offers);

    /// <summary>One offer per class of nodes; equal versions mean equal offers.</summary>
    public (long Version, IReadOnlyList<Offer> Offers) Offers()
    {
        var now = _offers.Current();
        return (now.Version, now.Offers);
    }

    /// <summary>What data leaving the node's place costs; free for a node that was removed or whose class is out of service.</summary>
    public EgressPrices EgressOf(NodeId id)
    {
        var offers = _offers.Current();
        var egress = _egress;
        if (egress.Version != offers.Version)
            _egress = egress = new(offers.Version, offers.Offers.ToDictionary(offer => offer.Id, offer => offer.Egress, StringComparer.Ordinal));
        return _nodes.Find(id) is { } node ? egress.ByOffer.GetValueOrDefault(node.Class.OfferId, s_free) : s_free;
    }

    private sealed record EgressByOffer(long Version, IReadOnlyDictionary<string, EgressPrices> ByOffer);
}
