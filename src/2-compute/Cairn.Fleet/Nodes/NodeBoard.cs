using Cairn.Contracts.Ids;
using Cairn.Contracts.Offers;

namespace Cairn.Fleet.Nodes;

/// <summary>What the layers above may know of the nodes: what they offer, and where one stands. In memory; safe to ask from any thread.</summary>
public sealed class NodeBoard
{
    private readonly FleetNodes _nodes;
    private readonly NodeOffers _offers;

    internal NodeBoard(FleetNodes nodes, NodeOffers offers) => (_nodes, _offers) = (nodes, offers);

    /// <summary>One offer per class of nodes; equal versions mean equal offers.</summary>
    public (long Version, IReadOnlyList<Offer> Offers) Offers()
    {
        var now = _offers.Current();
        return (now.Version, now.Offers);
    }

    /// <summary>Null for a node that was removed.</summary>
    public NodeStandpoint? Find(NodeId id) => _nodes.Find(id) is { } node
        ? new NodeStandpoint(node.Name, node.Facts.Provider, node.Facts.Region.Name, node.Facts.Simulated)
        : null;
}

/// <param name="Name">The node's.</param>
/// <param name="Provider">Who earns what it does.</param>
/// <param name="Region">Where it stands.</param>
/// <param name="Simulated">Whether its devices or its place are declared and not there.</param>
public sealed record NodeStandpoint(string Name, string Provider, string Region, bool Simulated);
