using System.Globalization;
using Cairn.Contracts.Offers;
using Cairn.Contracts.Units;

namespace Cairn.Fleet.Catalog.SkyPilot;

/// <summary>
/// Gathers the rows of one provider's <c>vms.csv</c> into offers:
/// <list type="number">
/// <item>Zones of a region are one offer at the cheapest zone's price: zone names differ by account and decide nothing here.</item>
/// <item>Google's rows without an instance type are cards, to be joined with the hosts of their zone, or whole TPU slices.</item>
/// <item>A price of $0 or none is a default of the catalogue and no price; a share of a card is not a card. Both are skipped and
/// counted.</item>
/// </list>
/// </summary>
internal sealed class SkyPilotCatalog(string provider, string source, DateOnly asOf, CatalogFindings skipped)
{
    /// <summary>Taken where spot is offered and the built-in catalogue has no rate: once in 50 hours.</summary>
    private const double AssumedInterruptionsPerHour = 0.02;

    private readonly ProviderTerms _terms = new(provider);
    private readonly Dictionary<MachineKey, Machine> _machines = [];
    private readonly Dictionary<CardKey, Machine> _cards = [];
    private readonly Dictionary<string, GpuInfo?> _infos = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Region> _regions = new(StringComparer.Ordinal);

    public void Add(SkyPilotRow row)
    {
        if (row.Price is not { MicrosPerHour: > 0 } price)
        {
            skipped.Add(row.Line, 1, $"{Named(row)} has no price; a price of $0 is the catalogue's default, not an offer");
            return;
        }

        if (row.Count != decimal.Truncate(row.Count))
        {
            skipped.Add(row.Line, 1, string.Create(CultureInfo.InvariantCulture,
                $"{Named(row)} is {row.Count} of a card; shares of cards are not offered"));
            return;
        }

        var accelerators = AcceleratorsOf(row);
        if (accelerators is null && (row.Accelerator.Length > 0 || row.InstanceType.Length == 0))
        {
            skipped.Add(row.Line, 1, $"{Named(row)} names no machine and no known accelerator");
            return;
        }

        var machine = new Machine(accelerators, row.Cpus, (long)(row.MemoryGiB * (1 << 30)), row.Architecture, price, SpotOf(row));
        if (row.InstanceType.Length > 0)
            Keep(_machines, new MachineKey(row.InstanceType, row.Region, row.Zone, accelerators?.Name ?? "", accelerators?.Count ?? 0),
                machine);
        else if (TpuSlice.IsTpu(row.Accelerator))
            Keep(_machines, new MachineKey(row.Accelerator, row.Region, row.Zone, accelerators!.Name, accelerators.Count), machine);
        else
            Keep(_cards, new CardKey(accelerators!.Name, accelerators.Count, row.Region, row.Zone), machine);
    }

    public IReadOnlyList<Offer> Offers()
    {
        var joined = _cards.Count == 0 ? _machines : JoinCards();
        var byRegion = new Dictionary<MachineKey, Machine>();
        foreach (var (key, machine) in joined)
            Keep(byRegion, key with { Zone = "" }, machine);
        var offers = byRegion.Select(entry => ToOffer(entry.Key, entry.Value));
        return [.. offers.DistinctBy(offer => offer.Id).OrderBy(offer => offer.Id, StringComparer.Ordinal)];
    }

    private OfferAccelerators? AcceleratorsOf(SkyPilotRow row)
    {
        if (row.Accelerator.Length == 0 || row.Count == 0)
            return null;
        if (TpuSlice.IsTpu(row.Accelerator))
            return TpuSlice.Parse(row.Accelerator);
        if (!_infos.TryGetValue(row.GpuInfo, out var info))
            _infos.Add(row.GpuInfo, info = GpuInfo.Parse(row.GpuInfo));
        return CatalogAccelerator.Resolve(row.Accelerator, (int)row.Count, info);
    }

    /// <summary>
    /// Hosts that exist only with cards get theirs, cards of the older kinds the smallest host with four processors for each.
    /// </summary>
    private Dictionary<MachineKey, Machine> JoinCards()
    {
        var joined = new Dictionary<MachineKey, Machine>();
        var attachable = new Dictionary<(string Region, string Zone), List<(MachineKey Key, Machine Host)>>();
        foreach (var (key, host) in _machines)
        {
            if (GoogleHosts.TakesCards(key.InstanceType))
            {
                if (!attachable.TryGetValue((key.Region, key.Zone), out var hosts))
                    attachable.Add((key.Region, key.Zone), hosts = []);
                hosts.Add((key, host));
            }

            if (host.Accelerators is not null || GoogleHosts.CardsOf(key.InstanceType, host.Cpus) is not { } cards)
                joined[key] = host;
            else if (_cards.TryGetValue(new CardKey(cards.Accelerator, cards.Count, key.Region, key.Zone), out var card))
                joined[key with { Accelerator = cards.Accelerator, Count = cards.Count }] = host.With(card);
            else
                skipped.Add(0, 1,
                    $"{key.InstanceType} in {key.Zone} comes with {cards.Count} {cards.Accelerator}, which no row of that zone prices");
        }

        foreach (var (key, card) in _cards)
        {
            if (!GoogleHosts.IsAttachable(key.Accelerator) || !attachable.TryGetValue((key.Region, key.Zone), out var hosts))
                continue;
            var host = hosts.Where(h => h.Host.Cpus >= 4 * key.Count).OrderBy(h => h.Host.Cpus).FirstOrDefault();
            if (host.Host is not null)
                joined[host.Key with { Accelerator = key.Accelerator, Count = key.Count }] = host.Host.With(card);
        }

        return joined;
    }

    private Offer ToOffer(MachineKey key, Machine machine)
    {
        var region = RegionOf(key.Region);
        var terms = _terms.Nearest(region, machine.Accelerators is not null);
        var attached = key.Count > 0 && GoogleHosts.TakesCards(key.InstanceType);
        var offer = new Offer
        {
            Id = OfferIds.Of(_terms.Provider, region.Name, key.InstanceType, attached ? $"{key.Accelerator}x{key.Count}" : ""),
            Provider = _terms.Provider,
            DeploymentModel = terms?.DeploymentModel ?? DeploymentModel.Specialized,
            Region = region,
            InstanceType = key.InstanceType,
            Accelerators = machine.Accelerators,
            Cpus = machine.Cpus,
            MemoryBytes = machine.MemoryBytes,
            OnDemand = machine.Price,
            Spot = machine.Spot,
            InterruptionsPerHour = machine.Spot is null ? 0 : terms is { InterruptionsPerHour: > 0 }
                ? terms.InterruptionsPerHour : AssumedInterruptionsPerHour,
            Interconnect = _terms.Interconnect(key.InstanceType),
            Labels = LabelsOf(machine.Architecture),
            Source = $"{source}; {_terms.Note}",
            AsOf = asOf,
        };
        return terms is null ? offer with { Trust = TrustTier.Verified } : offer with
        {
            BillingIncrementSeconds = terms.BillingIncrementSeconds,
            BillingMinimumSeconds = terms.BillingMinimumSeconds,
            BootSeconds = terms.BootSeconds,
            BootBilled = terms.BootBilled,
            Egress = terms.Egress,
            StoragePerGigabyteMonth = terms.StoragePerGigabyteMonth,
            Certifications = terms.Certifications,
            AvailabilityPercent = terms.AvailabilityPercent,
            FailuresPerHour = terms.FailuresPerHour,
            Trust = terms.Trust,
            WorksOffline = terms.WorksOffline,
        };
    }

    /// <summary>
    /// A known region of the provider, else what its name tells: a country's two letters alone or between commas (<c>Texas, US, NA</c>).
    /// </summary>
    private Region RegionOf(string name)
    {
        if (_regions.TryGetValue(name, out var region))
            return region;
        var country = name.Split(',', StringSplitOptions.TrimEntries) is { Length: >= 2 } parts ? parts[1] : name;
        region = RegionTable.Find(_terms.Provider, name)
            ?? new Region(name, country.Length == 2 && country.All(char.IsAsciiLetterUpper) ? country : "", Point: null);
        _regions.Add(name, region);
        return region;
    }

    private static SortedDictionary<string, string> LabelsOf(string architecture) =>
        architecture is "" or "x86_64" ? new(StringComparer.Ordinal) : new(StringComparer.Ordinal) { ["arch"] = architecture };

    private static HourlyPrice? SpotOf(SkyPilotRow row) => row.Spot is { MicrosPerHour: > 0 } spot && spot < row.Price ? spot : null;

    private static string Named(SkyPilotRow row) => $"{(row.InstanceType.Length > 0 ? row.InstanceType : row.Accelerator)} in {row.Region}";

    private static void Keep<TKey>(Dictionary<TKey, Machine> kept, TKey key, Machine machine) where TKey : notnull =>
        kept[key] = kept.TryGetValue(key, out var before) ? before.Cheaper(machine) : machine;

    private readonly record struct MachineKey(string InstanceType, string Region, string Zone, string Accelerator, int Count);

    private readonly record struct CardKey(string Accelerator, int Count, string Region, string Zone);

    private sealed record Machine(
        OfferAccelerators? Accelerators, double Cpus, long MemoryBytes, string Architecture, HourlyPrice Price, HourlyPrice? Spot)
    {
        /// <summary>A host with the cards of a row of their own: both prices add up, and spot needs both.</summary>
        public Machine With(Machine card) => this with
        {
            Accelerators = card.Accelerators,
            Price = Price + card.Price,
            Spot = Spot is { } host && card.Spot is { } cards ? host + cards : null,
        };

        public Machine Cheaper(Machine other) => this with
        {
            Price = other.Price < Price ? other.Price : Price,
            Spot = Spot is { } mine && other.Spot is { } theirs ? (theirs < mine ? theirs : mine) : Spot ?? other.Spot,
        };
    }
}
