using Cairn.Contracts.Offers;
using Cairn.Contracts.Units;

namespace Cairn.Fleet.Nodes;

/// <summary>
/// The catalogue's offer for a machine that nodes may be, whatever its region where this one is not listed; null where unknown.
/// </summary>
internal delegate Offer? CatalogOffer(string provider, string region, string instanceType);

/// <summary>The offers behind which nodes stand, as of one version.</summary>
/// <param name="Version">Grows with every change; equal versions of one server mean equal offers.</param>
internal sealed record NodeOfferSnapshot(long Version, IReadOnlyList<Offer> Offers);

/// <summary>
/// One offer per class of nodes. Its capacity is the nodes that are in service and not lost, free or not. What a class does not declare and
/// the catalogue knows of the same machine, it takes from there: storage and egress prices, promises, billing rules, and the price itself
/// where none was declared.
/// </summary>
internal sealed class NodeOffers(FleetNodes nodes, CatalogOffer catalog, TimeProvider time)
{
    private volatile NodeOfferSnapshot _snapshot = new(-1, []);
    private Dictionary<string, Offer> _made = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();

    /// <summary>The offers now; made anew only where a class changed.</summary>
    public NodeOfferSnapshot Current()
    {
        var held = _snapshot;
        return held.Version == nodes.ClassVersion ? held : Rebuild();
    }

    /// <summary>What the whole machine costs: as declared, or as the catalogue has it where nothing was declared.</summary>
    public HourlyPrice PriceOf(FleetNode node) => node.Facts.Price != HourlyPrice.Free
        ? node.Facts.Price
        : catalog(node.Facts.Provider, node.Facts.Region.Name, node.Facts.InstanceType)?.OnDemand ?? HourlyPrice.Free;

    private NodeOfferSnapshot Rebuild()
    {
        lock (_gate)
        {
            var (version, classes) = nodes.Classes();
            if (_snapshot.Version >= version)
                return _snapshot;
            var made = new Dictionary<string, Offer>(classes.Count, StringComparer.Ordinal);
            var offers = new List<Offer>(classes.Count);
            foreach (var (nodeClass, usable) in classes)
            {
                var known = _made.GetValueOrDefault(nodeClass.Key)
                    ?? Make(nodeClass, catalog, DateOnly.FromDateTime(time.GetUtcNow().UtcDateTime));
                var offer = known.Capacity == usable ? known : known with { Capacity = usable };
                made.Add(nodeClass.Key, offer);
                if (usable > 0)
                    offers.Add(offer);
            }
            offers.Sort((a, b) => string.CompareOrdinal(a.Id, b.Id));
            _made = made;
            return _snapshot = new NodeOfferSnapshot(version, offers);
        }
    }

    internal static Offer Make(NodeClass nodeClass, CatalogOffer catalog, DateOnly today)
    {
        var facts = nodeClass.Facts;
        var listed = catalog(facts.Provider, facts.Region.Name, facts.InstanceType);
        return new Offer
        {
            Id = nodeClass.OfferId,
            Provider = facts.Provider,
            DeploymentModel = facts.DeploymentModel,
            Region = facts.Region with
            {
                Country = facts.Region.Country.Length > 0 ? facts.Region.Country : listed?.Region.Country ?? "",
                Point = facts.Region.Point ?? listed?.Region.Point,
            },
            InstanceType = facts.InstanceType,
            Accelerators = facts.Accelerators,
            Divisible = listed?.Divisible ?? true,
            Cpus = facts.Cpus,
            MemoryBytes = facts.MemoryBytes,
            DiskBytes = facts.DiskBytes,
            OnDemand = facts.Price == HourlyPrice.Free && listed is not null ? listed.OnDemand : facts.Price,
            BillingIncrementSeconds = listed?.BillingIncrementSeconds ?? 1,
            BillingMinimumSeconds = listed?.BillingMinimumSeconds ?? 0,
            Egress = listed?.Egress ?? new EgressPrices(),
            StoragePerGigabyteMonth = listed?.StoragePerGigabyteMonth ?? Money.Zero,
            Certifications = facts.Certifications.Count > 0 ? facts.Certifications : listed?.Certifications ?? [],
            AvailabilityPercent = facts.AvailabilityPercent > 0 ? facts.AvailabilityPercent : listed?.AvailabilityPercent ?? 0,
            FailuresPerHour = listed?.FailuresPerHour ?? 0,
            Interconnect = facts.Interconnect != InterconnectKind.None ? facts.Interconnect : listed?.Interconnect ?? InterconnectKind.None,
            Trust = facts.Trust,
            WorksOffline = facts.WorksOffline,
            Preemptible = facts.Preemptible,
            InterruptionsPerHour = facts.Preemptible ? listed?.InterruptionsPerHour ?? 0 : 0,
            Runnable = true,
            Simulated = facts.Simulated,
            Labels = facts.Labels,
            Source = listed is null ? "declared by enrolled nodes" : $"declared by enrolled nodes; what they leave open: {listed.Source}",
            AsOf = listed?.AsOf ?? today,
        };
    }
}
