using Cairn.Contracts.Offers;

namespace Cairn.Planning.Offers;

/// <summary>
/// Offers compiled for deciding: immutable columns, in which every set of values that many offers share (a place, a machine's size, terms) is kept
/// once, so that a plan asks each question once per distinct value and touches an offer only to add up its cost. Rows lie together by machine
/// size, so that offers of the wrong accelerator are never touched.
/// </summary>
public sealed class OfferSnapshot
{
    private OfferSnapshot(Offer[] byId, SnapshotColumns columns)
    {
        ById = byId;
        Columns = columns;
    }

    /// <summary>How many offers there are.</summary>
    public int Count => ById.Length;

    /// <summary>All offers, ordered by id.</summary>
    public IReadOnlyList<Offer> Offers => ById;

    internal Offer[] ById { get; }

    internal SnapshotColumns Columns { get; }

    /// <summary>
    /// Takes the time of sorting the ids, so compile once per change of offers and not once per plan. The order of <paramref name="offers"/>
    /// changes nothing.
    /// </summary>
    /// <exception cref="ArgumentException">Two offers have one id, or an offer has a price or a size below zero.</exception>
    public static OfferSnapshot Compile(IReadOnlyList<Offer> offers)
    {
        ArgumentNullException.ThrowIfNull(offers);
        var byId = new Offer[offers.Count];
        for (var i = 0; i < byId.Length; i++)
            byId[i] = offers[i];
        Array.Sort(byId, static (a, b) => string.CompareOrdinal(a.Id, b.Id));
        for (var i = 0; i < byId.Length; i++)
            Check(byId[i], i > 0 ? byId[i - 1] : null);
        return new OfferSnapshot(byId, SnapshotColumns.Of(byId));
    }

    /// <summary>The offer's place in the order of ids, or less than zero.</summary>
    internal int RankOf(string id)
    {
        int low = 0, high = ById.Length - 1;
        while (low <= high)
        {
            var middle = (low + high) >>> 1;
            var order = string.CompareOrdinal(ById[middle].Id, id);
            if (order == 0)
                return middle;
            if (order < 0)
                low = middle + 1;
            else
                high = middle - 1;
        }

        return -1;
    }

    private static void Check(Offer offer, Offer? before)
    {
        if (before is not null && before.Id == offer.Id)
            throw new ArgumentException($"Two offers have the id '{offer.Id}'. Ids must be unique.", nameof(offer));
        if (offer.OnDemand.MicrosPerHour < 0 || offer.Spot is { MicrosPerHour: < 0 } || offer.Reserved is { MicrosPerHour: < 0 }
            || offer.StoragePerGigabyteMonth.Micros < 0 || offer.Egress.CrossRegionPerGigabyte.Micros < 0
            || offer.Egress.InRegionPerGigabyte.Micros < 0 || offer.Egress.Internet.Any(r => r.PerGigabyte.Micros < 0))
            throw new ArgumentException($"The offer '{offer.Id}' has a price below zero.", nameof(offer));
        if (offer.Accelerators is { Count: < 1 } || offer.MemoryBytes < 0 || offer.DiskBytes < 0 || !(offer.Cpus >= 0))
            throw new ArgumentException($"The offer '{offer.Id}' has a size below zero, or accelerators without a count.", nameof(offer));
    }
}
