using Cairn.Contracts.Offers;
using Cairn.Contracts.Plans;
using Cairn.Contracts.Units;
using Cairn.Contracts.Workloads;
using Cairn.Planning.Costs;
using Cairn.Planning.Offers;
using CsCheck;
using static Cairn.Planning.Tests.Sample;

namespace Cairn.Planning.Tests.Costs;

public sealed class EgressLadder_Tests
{
    private const long TB = 1024 * GB;

    /// <summary>A known planner subtracts a rung's threshold instead of clamping to it, and bills $0, $3,584, $717 and $23,296 here.</summary>
    [Theory]
    [InlineData(10, 921.60)]
    [InlineData(30, 2662.40)]
    [InlineData(60, 5120.00)]
    [InlineData(150, 11571.20)]
    [InlineData(200, 14131.20)]
    public void Each_rung_prices_only_what_falls_within_it(int terabytes, double usd) =>
        Assert.Equal(Usd((decimal)usd).Micros, EgressLadder.Cost(AwsLadder, 0, terabytes * TB));

    [Fact]
    public void What_left_earlier_in_the_month_has_climbed_the_ladder_already() =>
        Assert.Equal(Usd(20 * 1024 * 0.085m).Micros, EgressLadder.Cost(AwsLadder, 10 * TB, 20 * TB));

    [Fact]
    public void Half_a_terabyte_of_checkpoints_costs_45_dollars() => Assert.Equal(Usd(45).Micros, EgressLadder.Cost(AwsLadder, 0, 500 * GB));

    [Fact]
    public void An_empty_ladder_is_free_and_a_last_rung_that_ends_goes_on()
    {
        Assert.Equal(0, EgressLadder.Cost([], 0, 10 * TB));
        Assert.Equal(Usd(20).Micros, EgressLadder.Cost([new PriceRung(10 * GB, Usd(1))], 0, 20 * GB));
    }

    [Fact]
    public void Data_sent_in_two_parts_costs_what_it_costs_in_one() =>
        Gen.Select(Gen.Long[0, 300 * TB], Gen.Long[0, 300 * TB], Gen.Long[0, 100 * TB]).Sample((a, b, before) =>
            Assert.InRange(EgressLadder.Cost(AwsLadder, before, a + b)
                - EgressLadder.Cost(AwsLadder, before, a) - EgressLadder.Cost(AwsLadder, before + a, b), 0, 1));

    [Fact]
    public void A_plan_climbs_the_ladder_of_the_source_from_what_left_it_this_month()
    {
        var workload = Workload() with { Inputs = [new DataSpec { Name = "corpus", SizeBytes = 20 * TB, Place = "AWS/us-east-1" }] };
        var offers = OfferSnapshot.Compile([Offer("Pool", "any", "gpu", 10), Cloud("us-east-1"), Cloud("us-west-2")]);
        var context = new PlanningContext { EgressBytesThisMonth = new Dictionary<string, long> { ["AWS"] = 10 * TB } };
        var inputs = Planner.Plan(workload, offers, context).Candidates.ToDictionary(c => c.Offer.Region.Name, c => c.Amount(CostKind.InputTransfer));
        Assert.Equal(Usd(20 * 1024 * 0.085m), inputs["any"]);
        Assert.Equal(Usd(20 * 1024 * 0.02m), inputs["us-west-2"]);
        Assert.Equal(Money.Zero, inputs["us-east-1"]);
    }

    [Fact]
    public void All_inputs_count_and_those_of_one_source_climb_together()
    {
        var workload = Workload() with
        {
            Inputs =
            [
                new DataSpec { Name = "a", SizeBytes = 10 * TB, Place = "AWS/us-east-1" }, new DataSpec { Name = "b", SizeBytes = 20 * TB, Place = "s3://b/x" },
            ],
        };
        var candidate = workload.Plan(Offer("Pool", "any", "gpu", 10), Cloud("us-east-1")).Candidates.First(c => c.Offer.Provider == "Pool");
        Assert.Equal(Usd(2662.40m), candidate.Amount(CostKind.InputTransfer));
        Assert.Equal("a: 10.24 TB from AWS/us-east-1 over the internet; b: 20.48 TB from s3://b/x over the internet",
            candidate.Items.Single(i => i.Kind == CostKind.InputTransfer).Detail);
    }

    private static Offer Cloud(string region) => Offer(region: region) with
    {
        Egress = new EgressPrices { Internet = AwsLadder, CrossRegionPerGigabyte = Usd(0.02m) },
    };
}
