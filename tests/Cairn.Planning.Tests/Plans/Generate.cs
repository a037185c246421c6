using Cairn.Contracts.Offers;
using Cairn.Contracts.Units;
using Cairn.Contracts.Workloads;
using CsCheck;

namespace Cairn.Planning.Tests.Plans;

/// <summary>Random offers and workloads from few values of each kind, so that they meet, tie and just miss each other often.</summary>
internal static class Generate
{
    private const long GB = Sample.GB;

    private static readonly Region[] s_regions =
    [
        new("us-east-1", "US", new GeoPoint(38.9, -77.4)), new("us-west-2", "US", new GeoPoint(45.8, -119.7)),
        new("eu-central-1", "DE", new GeoPoint(50.1, 8.7)), new("eu-west-1", "IE", new GeoPoint(53.3, -6.3)), new("nowhere", "", null),
    ];

    /// <summary>One provider, one list of prices for data.</summary>
    private static readonly Dictionary<string, EgressPrices> s_egress = new()
    {
        ["AWS"] = new EgressPrices
        {
            Internet = Sample.AwsLadder, CrossRegionPerGigabyte = Money.FromUsd(0.02m), InRegionPerGigabyte = Money.FromUsd(0.01m),
        },
        ["GCP"] = new EgressPrices { Internet = [new PriceRung(null, Money.FromUsd(0.12m))], CrossRegionPerGigabyte = Money.FromUsd(0.015m) },
        ["Pool"] = new EgressPrices(),
    };

    private static readonly OfferAccelerators?[] s_accelerators =
    [
        new("H100-SXM-80GB", "nvidia", 80L << 30, 8), new("H100-PCIE-80GB", "nvidia", 80L << 30, 1), new("A100-80GB", "nvidia", 80L << 30, 4),
        new("MI300X-192GB", "amd", 192L << 30, 8), null,
    ];

    public static readonly Gen<Offer> OneOffer =
        from provider in Gen.OneOf("AWS", "GCP", "Pool")
        from region in Gen.OneOf(s_regions)
        from accelerators in Gen.Int[0, s_accelerators.Length - 1]
        from size in Gen.Select(Gen.Bool, Gen.OneOf(4.0, 32, 192), Gen.OneOf(64 * GB, 1024 * GB), Gen.OneOf(0, 500 * GB, 4000 * GB))
        from prices in Gen.Select(Gen.Int[1, 60], Gen.Int[0, 30], Gen.Int[0, 30], Gen.OneOf(0, 7200L, 36000))
        from terms in Gen.Select(Gen.OneOf(1, 60, 3600), Gen.OneOf(0, 600, 3600), Gen.OneOf(0, 90, 1200), Gen.Bool)
        from rates in Gen.Select(Gen.OneOf(0, 0.01, 0.2, 2), Gen.OneOf(0, 0.0005, 0.05))
        from standing in Gen.Select(Gen.OneOf<string[]>([], ["soc2"], ["soc2", "hipaa"]), Gen.OneOf(0, 99.5, 99.99), Gen.Bool, Gen.Enum<TrustTier>())
        from rest in Gen.Select(Gen.Enum<InterconnectKind>(), Gen.OneOf<int?>(null, 1, 3, 100), Gen.OneOf(0m, 0.08m), Gen.Bool)
        select new Offer
        {
            Id = "",
            Provider = provider,
            DeploymentModel = provider == "Pool" ? DeploymentModel.Decentralized : DeploymentModel.Hyperscaler,
            Region = region,
            InstanceType = "x",
            Accelerators = s_accelerators[accelerators],
            Divisible = size.Item1,
            Cpus = size.Item2,
            MemoryBytes = size.Item3,
            DiskBytes = size.Item4,
            OnDemand = HourlyPrice.FromUsd(prices.Item1),
            Spot = prices.Item2 == 0 ? null : HourlyPrice.FromUsd(prices.Item2),
            Reserved = prices.Item3 == 0 ? null : HourlyPrice.FromUsd(prices.Item3),
            ReservedTermSeconds = prices.Item4,
            BillingIncrementSeconds = terms.Item1,
            BillingMinimumSeconds = terms.Item2,
            BootSeconds = terms.Item3,
            BootBilled = terms.Item4,
            InterruptionsPerHour = rates.Item1,
            FailuresPerHour = rates.Item2,
            Egress = s_egress[provider],
            StoragePerGigabyteMonth = Money.FromUsd(rest.Item3),
            Certifications = standing.Item1,
            AvailabilityPercent = standing.Item2,
            WorksOffline = standing.Item3,
            Trust = standing.Item4,
            Preemptible = standing.Item3 && standing.Item2 > 99.9,
            Interconnect = rest.Item1,
            Capacity = rest.Item2,
            Labels = rest.Item4 ? new Dictionary<string, string> { ["rack"] = "7" } : [],
            Source = "generated",
            AsOf = new DateOnly(2026, 1, 1),
        };

    public static readonly Gen<Offer[]> Offers = OneOffer.Array[1, 12].Select(o => o.Select((x, i) => x with
    {
        Id = $"{x.Provider}/{x.Region.Name}/{i}",
    }).ToArray());

    private static readonly AcceleratorSpec?[] s_needs =
    [
        null, null, new() { Names = ["H100"] }, new() { Names = ["H100", "A100"], Count = new(2, 4) }, new() { Vendor = "amd", Count = new(8, null) },
        new() { MemoryBytes = new(100L << 30, null) }, new() { Count = new(0.5, 0.5) },
    ];

    private static readonly Gen<ResourceSpec> s_resources =
        from accelerators in Gen.OneOf(s_needs)
        from size in Gen.Select(Gen.OneOf<double?>(null, null, 2, 16, 100), Gen.OneOf<long?>(null, null, 32 * GB, 512 * GB), Gen.OneOf(0, 0, 300 * GB))
        from rest in Gen.Select(Gen.OneOf(InterconnectKind.None, InterconnectKind.None, InterconnectKind.Roce), Gen.Bool, Gen.Int[0, 9], Gen.Int[0, 9])
        from own in Gen.Select(Gen.Int[0, 9], Gen.OneOf<bool?>(null, null, true, false))
        select new ResourceSpec
        {
            Accelerators = accelerators,
            Cpus = new(size.Item1, null),
            MemoryBytes = new(size.Item2, null),
            DiskBytes = size.Item3,
            Interconnect = rest.Item1,
            Spread = rest.Item2,
            NodeLabels = rest.Item3 == 0 ? new Dictionary<string, string> { ["rack"] = "7" } : [],
            Regions = rest.Item4 == 0 ? ["us-*"] : [],
            MaxPricePerHour = own.Item1 == 0 ? HourlyPrice.FromUsd(20) : null,
            Interruptible = own.Item2,
        };

    private static readonly Gen<ResourceSpec> s_anyResources = Gen.Frequency(
        (4, s_resources),
        (1, s_resources.Array[2, 3].Select(r => new ResourceSpec { AnyOf = r })),
        (1, s_resources.Array[2, 3].Select(r => new ResourceSpec { Ordered = r })));

    private static readonly Gen<WhereSpec> s_where =
        from asked in Gen.Int[0, 9].Array[9]
        from interruptible in Gen.Bool
        from ms in Gen.OneOf(20.0, 60, 150)
        select new WhereSpec
        {
            DeploymentModels = asked[0] == 0 ? [DeploymentModel.Decentralized] : [],
            Providers = asked[1] == 0 ? ["AWS", "Pool"] : [],
            Regions = asked[2] == 0 ? ["eu-*", "aws/us-east-1"] : [],
            Residency = asked[3] == 0 ? ["EU"] : asked[3] == 1 ? ["US", "DE"] : [],
            Certifications = asked[4] == 0 ? ["hipaa", "soc2"] : asked[4] == 1 ? ["soc2"] : [],
            Latency = asked[5] == 0 ? new LatencySpec { MaxMs = ms, From = [new PlaceSpec("Paris", new GeoPoint(48.9, 2.4))] } : null,
            AvailabilityPercent = asked[6] == 0 ? 99.9 : null,
            Offline = asked[7] == 0,
            Trust = asked[8] == 0 ? TrustTier.Verified : TrustTier.Community,
            Interruptible = interruptible,
        };

    private static readonly Gen<MoneySpec> s_money =
        from seconds in Gen.OneOf<long?>(null, 59, 3600, 3601, 36000, 200_000)
        from limits in Gen.Select(Gen.Int[0, 5], Gen.Int[0, 5], Gen.Int[0, 5])
        select new MoneySpec
        {
            ExpectedDurationSeconds = seconds,
            MaxPricePerHour = limits.Item1 == 0 ? HourlyPrice.FromUsd(30) : null,
            Budget = limits.Item2 == 0 ? Money.FromUsd(100) : null,
            DeadlineSeconds = limits.Item3 == 0 ? 40_000 : null,
        };

    private static readonly Gen<DataSpec[]> s_data =
        from places in Gen.OneOf<string?>(null, "AWS/us-east-1", "GCP/eu-west-1").Array[0, 2]
        from bytes in Gen.Long[0, 30_000].Array[2]
        select places.Select((p, i) => new DataSpec { Name = $"d{i}", SizeBytes = bytes[i] * GB, Place = p }).ToArray();

    public static readonly Gen<WorkloadSpec> Workload =
        from resources in s_anyResources
        from nodes in Gen.OneOf(1, 1, 2, 5)
        from place in s_where
        from money in s_money
        from inputs in s_data.Select(d => d.DistinctBy(x => x.Place).ToArray())
        from outputs in s_data
        from checkpoints in Gen.OneOf<CheckpointSpec?>(null, new CheckpointSpec { Path = "c", SizeBytes = 100 * GB })
        from service in Gen.Frequency((5, (ServiceSpec?)null), (1, new ServiceSpec { Port = 80, MinReplicas = 2, Utilization = 0.5 }),
            (1, new ServiceSpec { Port = 80, MinReplicas = 0, Utilization = 0.25 }))
        from rest in Gen.Select(Gen.Enum<RestartPolicy>(), Gen.OneOf(0, 50 * GB), Gen.Enum<WorkloadKind>())
        select new WorkloadSpec
        {
            Name = "job", Kind = rest.Item3, Resources = resources, Nodes = nodes, Where = place, Money = money, Inputs = inputs, Outputs = outputs,
            Checkpoints = checkpoints, Service = service, Retries = new RetrySpec { Restart = rest.Item1 }, NodeTrafficBytesPerHour = rest.Item2,
        };

    public static readonly Gen<PlanningContext> Context =
        from fee in Gen.OneOf(0, 250)
        from before in Gen.OneOf(0, 30_000 * GB)
        select new PlanningContext
        {
            Fees = fee == 0 ? [] : [new FeeRule(fee, "fee", Provider: "Pool")],
            EgressBytesThisMonth = new Dictionary<string, long> { ["AWS"] = before },
            SourceEgress = new SortedDictionary<string, EgressPrices>(s_egress.ToDictionary(), StringComparer.OrdinalIgnoreCase),
        };
}
