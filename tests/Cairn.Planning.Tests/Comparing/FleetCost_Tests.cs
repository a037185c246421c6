using Cairn.Contracts.Offers;
using Cairn.Contracts.Units;
using Cairn.Planning.Comparing;
using static Cairn.Planning.Tests.Sample;

namespace Cairn.Planning.Tests.Comparing;

public sealed class FleetCost_Tests
{
    /// <summary>
    /// The published table of ten H100s around the clock. Its first three rows count 730.14 hours a month, the last two 730; with 730 throughout
    /// every row agrees to 0.03 %.
    /// </summary>
    [Theory]
    [InlineData("AWS", 6.88, 6.88, 68.80, 50_234, 602_808)]
    [InlineData("Azure", 6.98, 6.98, 69.80, 50_964, 611_568)]
    [InlineData("GCP", 5.62, 5.62, 56.20, 41_034, 492_408)]
    [InlineData("CoreWeave", 2.99, 2.99, 29.90, 21_827, 261_924)]
    [InlineData("io.net", 2.10, 3.50, 28.00, 20_440, 245_280)]
    public void Ten_accelerators_around_the_clock_cost_what_the_published_table_says(
        string provider, double low, double high, double hourly, double monthly, double yearly)
    {
        var range = new PriceRange(HourlyPrice.FromUsd((decimal)low * 8), HourlyPrice.FromUsd((decimal)high * 8));
        var offer = Offer(provider) with
        {
            OnDemand = new HourlyPrice((range.Low.MicrosPerHour + range.High.MicrosPerHour) / 2), OnDemandRange = range,
        };
        var row = Assert.Single(FleetCost.Compare(new FleetNeed("H100", 10), [offer]));
        Assert.Equal(((decimal)low, (decimal)high, (decimal)hourly), (row.Low.UsdPerHour, row.High.UsdPerHour, row.Hourly.UsdPerHour));
        Assert.InRange((double)row.Monthly.Usd / monthly, 0.9997, 1.0003);
        Assert.InRange((double)row.Yearly.Usd / yearly, 0.9997, 1.0003);
        Assert.Equal(row.Hourly.UsdPerHour * 730, row.Monthly.Usd);
        Assert.Equal(row.Hourly.UsdPerHour * 8760, row.Yearly.Usd);
    }

    [Fact]
    public void A_provider_is_priced_at_its_cheapest_offer_per_accelerator()
    {
        var single = Offer(type: "p5.4xlarge", price: 7) with { Accelerators = H100x8 with { Count = 1 } };
        var rows = FleetCost.Compare(new FleetNeed("H100", 4), [single, Offer(), Offer("GCP", price: 40), Offer("None") with { Accelerators = null }]);
        Assert.Equal([("GCP", 20m), ("AWS", 27.52m)], rows.Select(r => (r.Provider, r.Hourly.UsdPerHour)));
    }

    [Fact]
    public void What_must_be_rented_in_whole_machines_is_said()
    {
        var whole = FleetCost.Compare(new FleetNeed("H100", 10), [Offer()])[0];
        var divisible = FleetCost.Compare(new FleetNeed("H100", 10), [Offer() with { Divisible = true }])[0];
        Assert.Equal((16, Usd(110.08m).Micros), (whole.RentedAccelerators, whole.RentedHourly.MicrosPerHour));
        Assert.Equal((10, Usd(68.80m).Micros), (divisible.RentedAccelerators, divisible.RentedHourly.MicrosPerHour));
    }

    [Fact]
    public void Hidden_costs_are_egress_storage_and_idle()
    {
        var aws = Offer() with { Egress = new EgressPrices { Internet = AwsLadder }, StoragePerGigabyteMonth = Usd(0.08m) };
        var use = new FleetUse { EgressBytesPerMonth = 30_720 * GB, StorageBytes = 50_000 * GB, Utilization = 0.8 };
        var hidden = FleetCost.Compare(new FleetNeed("H100", 10) { Use = use }, [aws])[0].Hidden!;
        Assert.Equal(new FleetHiddenCost(Usd(40_179.20m), Usd(10_044.80m), Usd(2662.40m), Usd(4000)), hidden);
        Assert.Equal(Usd(56_886.40m), hidden.Total);
        Assert.InRange(hidden.OverBusyPercent, 41.5, 41.6);
    }

    [Fact]
    public void Sessions_pay_their_boot_and_increment_and_never_more_than_staying_on()
    {
        var byTheHour = Offer(price: 8) with { BillingIncrementSeconds = 3600, BootSeconds = 600, BootBilled = true };
        var use = new FleetUse { Utilization = 0.5, SessionsPerMonth = 365 };
        var hidden = FleetCost.Compare(new FleetNeed("H100", 8) { Use = use }, [byTheHour])[0].Hidden!;
        Assert.Equal((Usd(365 * 8), Usd(365 * 8)), (hidden.Busy, hidden.Idle));
        hidden = FleetCost.Compare(new FleetNeed("H100", 8) { Use = use }, [byTheHour with { BillingIncrementSeconds = 60 }])[0].Hidden!;
        Assert.Equal(Usd(365 * 8m / 6).Micros, hidden.Idle.Micros, 10.0);
        hidden = FleetCost.Compare(new FleetNeed("H100", 8) { Use = use with { SessionsPerMonth = 0 } }, [byTheHour])[0].Hidden!;
        Assert.Equal(Usd(365 * 8), hidden.Idle);
    }

    [Fact]
    public void A_count_below_one_is_refused() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => FleetCost.Compare(new FleetNeed("H100", 0), []));
}
