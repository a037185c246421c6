using System.Collections.Concurrent;
using System.Text.Json;
using Cairn.Contracts.Api;
using Cairn.Contracts.Offers;
using Cairn.Contracts.Plans;
using Cairn.Contracts.Units;
using Cairn.Contracts.Workloads;
using Cairn.Planning;
using Cairn.Planning.Offers;

namespace Cairn.Fleet.Placement;

/// <summary>Where a workload may run on the nodes that are enrolled.</summary>
/// <param name="Places">Best first; empty where nothing enrolled meets its needs.</param>
/// <param name="Text">The places as JSON.</param>
/// <param name="Hold">What is held before the job works: an hour of the best place, or its whole expected cost where that is less.</param>
/// <param name="Refusals">Why each class of nodes is out, in words.</param>
internal sealed record PlaceChoice(IReadOnlyList<Place> Places, string Text, Money Hold, IReadOnlyList<string> Refusals);

/// <summary>The offers behind which enrolled nodes stand now; equal versions mean equal offers.</summary>
internal delegate (long Version, IReadOnlyList<Offer> Offers) CurrentOffers();

/// <summary>
/// Plans workloads over the classes of enrolled nodes. How many nodes are free or connected now plays no part: a job may wait for them.
/// A plan is made once per workload and set of classes; equal jobs share it.
/// </summary>
internal sealed class PlacePlans(CurrentOffers offers)
{
    private const int MostPlaces = 32;
    private const int MostRefusals = 50;
    private const int MostPlans = 1_024;

    private volatile Planned _planned = new(-1, [], OfferSnapshot.Compile([]));

    /// <param name="key">Equal for equal workloads and places.</param>
    /// <param name="workload">What is planned.</param>
    public PlaceChoice Of(string key, WorkloadSpec workload)
    {
        var planned = Current();
        if (planned.Choices.TryGetValue(key, out var known))
            return known;
        if (planned.Choices.Count >= MostPlans)
            planned.Choices.Clear();
        return planned.Choices[key] = Choose(workload, Planner.Plan(workload, planned.Snapshot, PlanningContext.Default));
    }

    /// <summary>Grows when the classes change; equal numbers mean equal plans.</summary>
    public long Generation => Current().Generation;

    private Planned Current()
    {
        var (version, list) = offers();
        var planned = _planned;
        if (planned.Version == version)
            return planned;
        var open = list.Select(o => o with { Capacity = null }).ToArray();
        // Nodes come and go all the time; only another set of classes makes plans stale.
        return _planned = open.AsSpan().SequenceEqual(planned.Offers)
            ? planned with { Version = version }
            : new Planned(version, open, OfferSnapshot.Compile(open)) { Generation = planned.Generation + 1 };
    }

    private static PlaceChoice Choose(WorkloadSpec workload, Plan plan)
    {
        // A plan may count disk that is rented on top; a node has the disk that it has.
        var candidates = plan.Candidates.Where(c => NodeNeed.Of(workload.Resources, c.Offer).DiskBytes <= c.Offer.DiskBytes)
            .OrderBy(c => Avoided(workload.Where.Avoid, c.Offer)).Take(MostPlaces).ToList();
        var places = candidates.Select(c => PlaceOf(workload, c)).DistinctBy(p => p.Offer).ToArray();
        var hold = candidates.Count == 0 ? Money.Zero : Money.Min(candidates[0].Total, candidates[0].Hourly.CostOf(TimeSpan.FromHours(1)));
        return new PlaceChoice(places, JsonSerializer.Serialize(places, ApiJson.Compact), hold,
            places.Length > 0 ? []
                : [.. plan.Candidates.Take(MostRefusals).Select(NoDisk), .. plan.Rejected.Take(MostRefusals).Select(InWords)]);
    }

    private static Place PlaceOf(WorkloadSpec workload, Candidate candidate)
    {
        var offer = candidate.Offer;
        var need = NodeNeed.Of(workload.Resources, offer);
        var price = new HourlyPrice(candidate.Hourly.MicrosPerHour / Math.Max(1, candidate.Machines));
        return new Place(
            offer.Id, offer.Provider, offer.Region.Name, offer.InstanceType,
            price,
            need.Accelerators is null ? 0 : WholeAboveOne(candidate.AcceleratorsPerMachine), need.Accelerators is null ? null
                : offer.Accelerators?.Name,
            CpusTaken(need, offer, price), need.MemoryBytes.Min ?? 0, need.DiskBytes, offer.BootBilled, offer.Simulated);
    }

    /// <summary>What is asked for, and never less than the share of the machine that is paid for: nobody else is sold that.</summary>
    private static double CpusTaken(ResourceSpec need, Offer offer, HourlyPrice price)
    {
        var paid = offer.OnDemand > HourlyPrice.Free ? Math.Min(1, price.UsdPerHour / offer.OnDemand.UsdPerHour) : 0;
        return Math.Min(offer.Cpus, Math.Max(need.Cpus.Min ?? 1, Math.Floor(offer.Cpus * (double)paid * 1000) / 1000));
    }

    /// <summary>Shares exist of a single accelerator only.</summary>
    private static double WholeAboveOne(double count) => count < 1 ? Math.Max(0.001, Math.Round(count, 3)) : Math.Floor(count);

    /// <summary>How little the offer's region is wanted: 0 where it is not avoided.</summary>
    private static int Avoided(IReadOnlyList<string> avoid, Offer offer)
    {
        for (var i = avoid.Count; i > 0; i--)
        {
            if (RegionPattern.Matches(avoid[i - 1], offer.Provider, offer.Region.Name))
                return i;
        }
        return 0;
    }

    private static string NoDisk(Candidate candidate) =>
        $"{Name(candidate.Offer)}: its nodes have {candidate.Offer.DiskBytes:N0} bytes of disk, less than is asked.";

    private static string InWords(Rejection rejection) =>
        $"{Name(rejection.Offer)}: {string.Join(" ", rejection.Reasons.Select(r => r.Message))}";

    private static string Name(Offer offer) => $"{offer.Provider}/{offer.Region.Name}/{offer.InstanceType}";

    private sealed record Planned(long Version, Offer[] Offers, OfferSnapshot Snapshot)
    {
        public long Generation { get; init; }

        public ConcurrentDictionary<string, PlaceChoice> Choices { get; } = new(StringComparer.Ordinal);
    }
}
