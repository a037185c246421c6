using Cairn.Contracts.Units;

namespace Cairn.Contracts.Offers;

public enum DeploymentModel
{
    Hyperscaler,
    Specialized,
    Edge,
    Decentralized,
    OnPremises,
}

/// <summary>How far a place is trusted, lowest first.</summary>
public enum TrustTier
{
    /// <summary>Anyone's machine.</summary>
    Community,

    /// <summary>A supplier whose hardware and owner were checked.</summary>
    Verified,

    /// <summary>A company with contracts and audits.</summary>
    Enterprise,
}

/// <summary>Networks between the nodes of a gang, slowest first.</summary>
public enum InterconnectKind
{
    None,
    Ethernet,

    /// <summary>At least 100 Gbit/s per node without RDMA.</summary>
    FastEthernet,

    /// <summary>RDMA over Ethernet, EFA included.</summary>
    Roce,
    Infiniband,
}

/// <summary>Degrees; latitude −90 to 90, longitude −180 to 180.</summary>
public readonly record struct GeoPoint(double Latitude, double Longitude);

/// <summary>A provider's region.</summary>
/// <param name="Name">The provider's own name, such as <c>us-east-1</c>.</param>
/// <param name="Country">ISO 3166-1 alpha-2, upper case; empty where unknown.</param>
/// <param name="Point">Null where unknown; then a latency need cannot be met.</param>
public sealed record Region(string Name, string Country, GeoPoint? Point);

/// <summary>Accelerators of one machine.</summary>
/// <param name="Name">Canonical name, such as <c>H100-SXM-80GB</c>.</param>
/// <param name="Vendor">Lower case, such as <c>nvidia</c>.</param>
/// <param name="MemoryBytes">Of one accelerator.</param>
/// <param name="Count">Per machine.</param>
public sealed record OfferAccelerators(string Name, string Vendor, long MemoryBytes, int Count);

/// <summary>One rung of a price ladder: up to <paramref name="UpToBytes"/> since the start of the month (null: without end), at this price.</summary>
public sealed record PriceRung(long? UpToBytes, Money PerGigabyte);

/// <summary>The span of a market's asks; <paramref name="Low"/> is never above <paramref name="High"/>.</summary>
public sealed record PriceRange(HourlyPrice Low, HourlyPrice High);

/// <summary>Data leaving a place, per decimal gigabyte (10⁹ bytes).</summary>
public sealed record EgressPrices
{
    /// <summary>To the internet and other providers, by monthly volume; empty means free.</summary>
    public IReadOnlyList<PriceRung> Internet { get; init; } = [];

    /// <summary>To another region of the same provider.</summary>
    public Money CrossRegionPerGigabyte { get; init; }

    /// <summary>Between machines of one region, each direction.</summary>
    public Money InRegionPerGigabyte { get; init; }
}

/// <summary>Something rentable now, with every price that ends up on the bill.</summary>
public sealed record Offer
{
    /// <summary>
    /// Unique and stable: <c>provider/region/instance-type</c>, with <c>/spot</c> and further parts where one name has several prices.
    /// </summary>
    public required string Id { get; init; }

    public required string Provider { get; init; }

    public required DeploymentModel DeploymentModel { get; init; }

    public required Region Region { get; init; }

    /// <summary>The provider's name of the machine; <c>gpu</c> where it rents single accelerators by the hour.</summary>
    public required string InstanceType { get; init; }

    public OfferAccelerators? Accelerators { get; init; }

    /// <summary>
    /// True where a part of the machine can be rented at its share of the price: 1 to <see cref="OfferAccelerators.Count"/> accelerators,
    /// or whole CPUs of a machine that has none.
    /// </summary>
    public bool Divisible { get; init; }

    public double Cpus { get; init; }

    public long MemoryBytes { get; init; }

    /// <summary>Scratch disk included in the price.</summary>
    public long DiskBytes { get; init; }

    /// <summary>On-demand price of one machine.</summary>
    public required HourlyPrice OnDemand { get; init; }

    /// <summary>Where the price is a market's: the lowest and the highest ask. <see cref="OnDemand"/> is then their middle.</summary>
    public PriceRange? OnDemandRange { get; init; }

    /// <summary>Every machine behind it can be taken away at any time, whatever it costs: none but those that allow it may run there.</summary>
    public bool Preemptible { get; init; }

    /// <summary>Price of one machine that can be taken away; null where not offered.</summary>
    public HourlyPrice? Spot { get; init; }

    /// <summary>Price of one machine under the shortest reservation; null where not offered.</summary>
    public HourlyPrice? Reserved { get; init; }

    /// <summary>The term that <see cref="Reserved"/> binds one to, in seconds.</summary>
    public long ReservedTermSeconds { get; init; }

    /// <summary>Time is billed in whole multiples of this; 1 bills by the second.</summary>
    public int BillingIncrementSeconds { get; init; } = 1;

    /// <summary>The shortest time that is billed.</summary>
    public int BillingMinimumSeconds { get; init; }

    /// <summary>From the request until the machine works.</summary>
    public int BootSeconds { get; init; }

    /// <summary>Whether <see cref="BootSeconds"/> is billed.</summary>
    public bool BootBilled { get; init; }

    public EgressPrices Egress { get; init; } = new();

    /// <summary>Persistent disk, per decimal gigabyte and month of 730 hours.</summary>
    public Money StoragePerGigabyteMonth { get; init; }

    /// <summary>Lower case: <c>soc2</c>, <c>hipaa</c>, <c>fedramp</c>, <c>iso27001</c>, <c>pci</c>, <c>gdpr</c>.</summary>
    public IReadOnlyList<string> Certifications { get; init; } = [];

    /// <summary>Promised yearly availability in percent; 0 where nothing is promised.</summary>
    public double AvailabilityPercent { get; init; }

    /// <summary>How often a machine of <see cref="Spot"/> is taken away, per hour, 0 to 1.</summary>
    public double InterruptionsPerHour { get; init; }

    /// <summary>How often an on-demand machine is lost, per hour, 0 to 1: not zero on consumer hardware.</summary>
    public double FailuresPerHour { get; init; }

    public InterconnectKind Interconnect { get; init; }

    /// <summary>How many machines can be had; null where unknown.</summary>
    public int? Capacity { get; init; }

    public TrustTier Trust { get; init; } = TrustTier.Enterprise;

    /// <summary>True where the place goes on without a network.</summary>
    public bool WorksOffline { get; init; }

    /// <summary>True where enrolled nodes stand behind the offer, so that a job can start there now.</summary>
    public bool Runnable { get; init; }

    /// <summary>True where the hardware is declared and not there. Shown wherever the offer is.</summary>
    public bool Simulated { get; init; }

    /// <summary>Labels of the nodes behind the offer.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new SortedDictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Where the figures come from.</summary>
    public required string Source { get; init; }

    /// <summary>The day on which they held.</summary>
    public required DateOnly AsOf { get; init; }
}
