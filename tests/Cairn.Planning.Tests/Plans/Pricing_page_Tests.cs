using Cairn.Contracts.Offers;
using Cairn.Contracts.Units;
using Cairn.Contracts.Workloads;
using Cairn.Planning.Offers;
using static Cairn.Planning.Tests.Sample;

namespace Cairn.Planning.Tests.Plans;

/// <summary>The worked example of docs/pricing-model.md, as the planner prices it.</summary>
public sealed class Pricing_page_Tests
{
    [Fact]
    public void The_worked_example_of_the_pricing_page_is_what_the_planner_says()
    {
        var offer = Offer(price: 55.04m) with
        {
            BillingIncrementSeconds = 60,
            BillingMinimumSeconds = 60,
            BootSeconds = 1200,
            BootBilled = true,
            FailuresPerHour = 0.00018,
            StoragePerGigabyteMonth = Usd(0.08m),
            Egress = new EgressPrices { Internet = AwsLadder, CrossRegionPerGigabyte = Usd(0.02m), InRegionPerGigabyte = Usd(0.01m) },
        };
        var workload = Workload(hours: 100) with
        {
            Nodes = 2,
            Resources = Workload().Resources with { DiskBytes = 2000 * GB },
            Checkpoints = new CheckpointSpec { Path = "checkpoints", IntervalSeconds = 1800, SizeBytes = 500 * GB },
            Inputs = [new DataSpec { Name = "corpus", SizeBytes = 2000 * GB, Place = "GCP/us-central1" }],
            Outputs = [new DataSpec { Name = "weights", SizeBytes = 140 * GB }],
            NodeTrafficBytesPerHour = 50 * GB,
        };
        var context = new PlanningContext
        {
            SourceEgress = new Dictionary<string, EgressPrices> { ["GCP"] = new() { Internet = [new PriceRung(null, Usd(0.12m))] } },
            Fees = [new FeeRule(100, "market fee")],
        };
        var candidate = Planner.Plan(workload, OfferSnapshot.Compile([offer]), context).Candidates[0];
        var expected = string.Concat(candidate.Items.Select(i => $"| {i.Kind} | {i.Amount} | {i.Detail} |\n"))
            + $"| **Total** | **{candidate.Total}** | {candidate.ExpectedSeconds:#,##0} s from submission to the end |\n";
        Assert.True(Page().Contains(expected, StringComparison.Ordinal), $"docs/pricing-model.md should say:\n{expected}");
    }

    private static string Page()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Cairn.slnx")))
            folder = folder.Parent;
        return File.ReadAllText(Path.Combine(folder!.FullName, "docs", "pricing-model.md")).ReplaceLineEndings("\n");
    }
}
