using Cairn.Serving.Gateway.Snapshots;

namespace Cairn.Serving.Endpoints;

/// <summary>The adapters of an endpoint's model as models of their own; pure.</summary>
internal static class AdapterRoutes
{
    /// <param name="route">The model's.</param>
    /// <param name="adaptersOf">What a revision's replicas can load.</param>
    /// <returns>One route per adapter, to the revisions that have it.</returns>
    public static IEnumerable<ModelRoute> Of(ModelRoute route, Func<int, IReadOnlyList<string>> adaptersOf)
    {
        var pools = route.Targets.OfType<PoolTarget>().ToList();
        return pools.SelectMany(pool => adaptersOf(pool.Revision)).Distinct(StringComparer.Ordinal).Select(adapter => route with
        {
            Name = new ModelName(route.Name.Project, adapter),
            Adapter = adapter,
            // What is mirrored is the model itself: the mirror need not know its adapters.
            Mirror = null,
            Targets = [.. pools.Where(pool => adaptersOf(pool.Revision).Contains(adapter)).Select(pool => pool with { UpstreamModel = adapter })],
        });
    }
}
