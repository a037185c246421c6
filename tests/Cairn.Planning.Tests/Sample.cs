using Cairn.Contracts.Offers;
using Cairn.Contracts.Plans;
using Cairn.Contracts.Units;
using Cairn.Contracts.Workloads;
using Cairn.Planning.Offers;

namespace Cairn.Planning.Tests;

/// <summary>Offers and workloads that tests change one thing of.</summary>
internal static class Sample
{
    public const long GB = 1_000_000_000;

    public static readonly GeoPoint Frankfurt = new(50.11, 8.68);

    public static readonly OfferAccelerators H100x8 = new("H100-SXM-80GB", "nvidia", 80L << 30, 8);

    /// <summary>The published internet ladder of AWS in decimal gigabytes: 10, 50 and 150 TB of 1,024 GB end its rungs.</summary>
    public static readonly IReadOnlyList<PriceRung> AwsLadder =
    [
        new(10_240 * GB, Money.FromUsd(0.09m)), new(51_200 * GB, Money.FromUsd(0.085m)), new(153_600 * GB, Money.FromUsd(0.07m)),
        new(null, Money.FromUsd(0.05m)),
    ];

    public static Offer Offer(string provider = "AWS", string region = "us-east-1", string type = "p5.48xlarge", decimal price = 55.04m) => new()
    {
        Id = $"{provider}/{region}/{type}",
        Provider = provider,
        DeploymentModel = DeploymentModel.Hyperscaler,
        Region = new Region(region, "US", new GeoPoint(38.9, -77.4)),
        InstanceType = type,
        Accelerators = H100x8,
        Cpus = 192,
        MemoryBytes = 2000 * GB,
        DiskBytes = 1000 * GB,
        OnDemand = HourlyPrice.FromUsd(price),
        Source = "test",
        AsOf = new DateOnly(2026, 1, 1),
    };

    public static WorkloadSpec Workload(double accelerators = 8, long hours = 10) => new()
    {
        Name = "job",
        Resources = new ResourceSpec { Accelerators = new AcceleratorSpec { Names = ["H100"], Count = new(accelerators, accelerators) } },
        Money = new MoneySpec { ExpectedDurationSeconds = hours * 3600 },
    };

    public static Plan Plan(this WorkloadSpec workload, params Offer[] offers) =>
        Planner.Plan(workload, OfferSnapshot.Compile(offers), PlanningContext.Default);

    public static Money Amount(this Candidate candidate, CostKind kind) =>
        candidate.Items.Where(i => i.Kind == kind).Aggregate(Money.Zero, (sum, i) => sum + i.Amount);

    public static string[] Codes(this Plan plan) => [.. Assert.Single(plan.Rejected).Reasons.Select(r => r.Code)];

    public static Money Usd(decimal usd) => Money.FromUsd(usd);
}
