using Cairn.Contracts.Offers;
using Cairn.Planning.Costs;
using Cairn.Planning.Offers;

namespace Cairn.Planning.Places;

/// <summary>How two places stand to each other, which is what moving data between them is priced by.</summary>
internal enum Distance
{
    SameRegion,
    SameProvider,
    Internet,
}

/// <summary>Where data lies or must go.</summary>
/// <param name="Provider">Null for a place of no provider: the control plane, or a web address.</param>
/// <param name="Region">Null where unknown; then it is taken to be another region of the provider.</param>
/// <param name="Words">The place as the bill calls it.</param>
internal sealed record DataEnd(string? Provider, string? Region, string Words, bool IsControlPlane = false)
{
    /// <param name="place"><c>PROVIDER/REGION</c>, a URL, or null for the control plane.</param>
    public static DataEnd Of(string? place, PlanningContext context)
    {
        if (string.IsNullOrWhiteSpace(place))
            return new DataEnd(context.ControlPlane.Provider, context.ControlPlane.Region, "the control plane", IsControlPlane: true);
        var scheme = place.IndexOf("://", StringComparison.Ordinal);
        if (scheme >= 0)
            return new DataEnd(context.BucketProviders.GetValueOrDefault(place[..scheme].ToLowerInvariant()), null, place);
        var slash = place.IndexOf('/', StringComparison.Ordinal);
        return slash < 0 ? new DataEnd(place, null, place) : new DataEnd(place[..slash], place[(slash + 1)..], place);
    }

    public Distance To(Place place)
    {
        if (Provider is null || !Provider.Equals(place.Provider, StringComparison.OrdinalIgnoreCase))
            return Distance.Internet;
        return Region is not null && Region.Equals(place.Region.Name, StringComparison.OrdinalIgnoreCase)
            ? Distance.SameRegion
            : Distance.SameProvider;
    }

    /// <summary>
    /// What leaving this end costs. Known facts come first; else the cheapest among the offers there stands in, so that one more offer never
    /// makes anything dearer.
    /// </summary>
    public EgressPrices Egress(PlanningContext context, SnapshotColumns columns, long before, long bytes)
    {
        if (IsControlPlane)
            return context.ControlPlane.Egress;
        if (Provider is null)
            return s_free;
        if (Region is not null && context.SourceEgress.TryGetValue($"{Provider}/{Region}", out var known))
            return known;
        if (context.SourceEgress.TryGetValue(Provider, out known))
            return known;
        return Cheapest(columns, before, bytes, Distance.SameRegion) ?? Cheapest(columns, before, bytes, Distance.SameProvider) ?? s_free;
    }

    private static readonly EgressPrices s_free = new();

    private EgressPrices? Cheapest(SnapshotColumns columns, long before, long bytes, Distance within)
    {
        EgressPrices? best = null;
        var bestCost = (Internet: long.MaxValue, Cross: long.MaxValue);
        foreach (var place in columns.Places)
        {
            if (To(place) > within)
                continue;
            var cost = (EgressLadder.Cost(place.Egress.Internet, before, bytes), place.Egress.CrossRegionPerGigabyte.Micros);
            if (best is not null && cost.CompareTo(bestCost) >= 0)
                continue;
            best = place.Egress;
            bestCost = cost;
        }

        return best;
    }
}
