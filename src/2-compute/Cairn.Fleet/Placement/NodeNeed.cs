using Cairn.Contracts.Offers;
using Cairn.Contracts.Workloads;

namespace Cairn.Fleet.Placement;

/// <summary>Which of a workload's alternatives an offer was chosen for: the first that it can hold.</summary>
internal static class NodeNeed
{
    public static ResourceSpec Of(ResourceSpec resources, Offer offer)
    {
        var alternatives = resources.AnyOf.Count > 0 ? resources.AnyOf : resources.Ordered;
        foreach (var alternative in alternatives)
        {
            if (Holds(alternative, offer))
                return alternative;
        }
        return resources;
    }

    private static bool Holds(ResourceSpec need, Offer offer) =>
        offer.Cpus >= (need.Cpus.Min ?? 0) && offer.MemoryBytes >= (need.MemoryBytes.Min ?? 0)
            && HoldsAccelerators(need.Accelerators, offer.Accelerators);

    private static bool HoldsAccelerators(AcceleratorSpec? need, OfferAccelerators? has)
    {
        if (need is null)
            return true;
        return has is not null
            && (need.Count.Min ?? 0) <= has.Count
            && need.MemoryBytes.Contains(has.MemoryBytes)
            && (need.Vendor is null || need.Vendor.Equals(has.Vendor, StringComparison.OrdinalIgnoreCase))
            && (need.Names.Count == 0 || need.Names.Any(name => AcceleratorName.Matches(name, has.Name)));
    }
}
