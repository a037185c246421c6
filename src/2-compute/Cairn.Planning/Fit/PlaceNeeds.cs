using Cairn.Contracts.Workloads;
using Cairn.Planning.Offers;
using Cairn.Planning.Places;

namespace Cairn.Planning.Fit;

/// <summary>What a workload asks of a place and of what it promises.</summary>
internal static class PlaceNeeds
{
    /// <summary>Where the work may be, regions apart: a choice may name its own.</summary>
    public static ReasonBits Unmet(WhereSpec where, Place place, double latencyMs)
    {
        var unmet = ReasonBits.None;
        if (where.DeploymentModels.Count > 0 && !where.DeploymentModels.Contains(place.DeploymentModel))
            unmet |= ReasonBits.DeploymentModel;
        if (where.Providers.Count > 0 && !where.Providers.Contains(place.Provider, StringComparer.OrdinalIgnoreCase))
            unmet |= ReasonBits.Provider;
        if (where.Residency.Count > 0 && !where.Residency.Any(r => ResidencyGroups.Contains(r, place.Region.Country)))
            unmet |= ReasonBits.Residency;
        if (where.Latency is { } latency && !(latencyMs <= latency.MaxMs))
            unmet |= ReasonBits.Latency;
        return unmet;
    }

    public static bool InRegions(IReadOnlyList<string> patterns, Place place)
    {
        if (patterns.Count == 0)
            return true;
        foreach (var pattern in patterns)
        {
            if (RegionPattern.Matches(pattern, place.Provider, place.Region.Name))
                return true;
        }

        return false;
    }

    public static ReasonBits Unmet(WhereSpec where, Standing standing)
    {
        var unmet = ReasonBits.None;
        if (where.Certifications.Count > 0 && Missing(where, standing).Any())
            unmet |= ReasonBits.Certification;
        if (where.AvailabilityPercent is { } percent && standing.AvailabilityPercent < percent)
            unmet |= ReasonBits.Availability;
        if (where.Offline && !standing.WorksOffline)
            unmet |= ReasonBits.Offline;
        if (standing.Trust < where.Trust)
            unmet |= ReasonBits.Trust;
        return unmet;
    }

    /// <summary>The certifications that are asked and not held.</summary>
    public static IEnumerable<string> Missing(WhereSpec where, Standing standing) =>
        where.Certifications.Where(c => !standing.Certifications.Contains(c, StringComparer.OrdinalIgnoreCase));

    /// <summary>What a choice of resources asks of the nodes there.</summary>
    public static ReasonBits Unmet(ResourceSpec resources, int nodes, Standing standing)
    {
        var unmet = ReasonBits.None;
        if (nodes > 1 && standing.Interconnect < resources.Interconnect)
            unmet |= ReasonBits.Interconnect;
        foreach (var (key, value) in resources.NodeLabels)
        {
            if (!standing.Labels.TryGetValue(key, out var has) || has != value)
                return unmet | ReasonBits.Labels;
        }

        return unmet;
    }

    /// <summary>The worst round trip from the places that the workload names; infinite from a place whose position is unknown.</summary>
    public static double LatencyMs(LatencySpec latency, Place place)
    {
        if (place.Region.Point is not { } point)
            return double.PositiveInfinity;
        var worst = 0.0;
        foreach (var from in latency.From)
            worst = Math.Max(worst, LatencyModel.RoundTripMs(from.Point, point));
        return worst;
    }
}
