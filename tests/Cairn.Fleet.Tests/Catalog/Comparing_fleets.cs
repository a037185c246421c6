using Cairn.Contracts.Offers;
using Cairn.Fleet.Catalog;
using Cairn.Planning.Comparing;

namespace Cairn.Fleet.Tests.Catalog;

/// <summary>What ten cards around the clock cost at each provider, from the built-in offers.</summary>
public sealed class Comparing_fleets
{
    /// <summary>
    /// The published table multiplies some rows by 730.14 hours a month; with 730 throughout they differ by less than this.
    /// </summary>
    private const double Tolerance = 0.0003;

    private static FleetCostRow TenH100(string provider) =>
        Assert.Single(FleetCost.Compare(new FleetNeed("H100", 10), BuiltInCatalog.Offers), row => row.Provider == provider);

    [Theory]
    [InlineData("AWS", 68.80, 50_234, 602_808)]
    [InlineData("Azure", 69.80, 50_964, 611_568)]
    [InlineData("GCP", 56.20, 41_034, 492_408)]
    [InlineData("CoreWeave", 29.90, 21_827, 261_924)]
    [InlineData("io.net", 28.00, 20_440, 245_280)]
    public void Compare_H100_10_gives_the_published_table(string provider, double hourly, double monthly, double yearly)
    {
        var row = TenH100(provider);
        Assert.Equal((decimal)hourly, row.Hourly.UsdPerHour);
        Assert.InRange((double)row.Monthly.Usd / monthly, 1 - Tolerance, 1 + Tolerance);
        Assert.InRange((double)row.Yearly.Usd / yearly, 1 - Tolerance, 1 + Tolerance);
    }

    [Fact]
    public void AWS_costs_50224_dollars_a_month_at_730_hours_and_602688_a_year() =>
        Assert.Equal((50_224m, 602_688m), (TenH100("AWS").Monthly.Usd, TenH100("AWS").Yearly.Usd));

    [Fact]
    public void A_market_shows_the_middle_and_both_ends_of_its_price()
    {
        var row = TenH100("io.net");
        Assert.Equal((2.80m, 2.10m, 3.50m), (row.PerAccelerator.UsdPerHour, row.Low.UsdPerHour, row.High.UsdPerHour));
    }

    [Fact]
    public void Suppliers_cost_half_or_less_of_a_hyperscaler_on_the_same_card()
    {
        var rows = FleetCost.Compare(new FleetNeed("H100", 10), BuiltInCatalog.Offers);
        var suppliers = rows.Single(row => row.Provider == "io.net").Yearly.Usd;
        Assert.All(
            rows.Where(row => row.DeploymentModel == DeploymentModel.Hyperscaler),
            row => Assert.InRange(1 - suppliers / row.Yearly.Usd, 0.50m, 0.70m));
        Assert.InRange(TenH100("AWS").Yearly.Usd - suppliers, 357_000m, 358_000m);
    }

    [Fact]
    public void Egress_storage_and_idle_time_inflate_a_hyperscalers_bill_by_a_fifth_or_more()
    {
        var use = new FleetUse { EgressBytesPerMonth = 20_000_000_000_000, StorageBytes = 50_000_000_000_000, Utilization = 0.9 };
        var row = Assert.Single(FleetCost.Compare(new FleetNeed("H100", 10) { Use = use }, BuiltInCatalog.Offers), row => row.Provider == "AWS");
        Assert.InRange(row.Hidden!.OverBusyPercent, 20, 40);
    }
}
