using Cairn.Contracts.Offers;
using Cairn.Fleet.Catalog;
using Cairn.Hardware.Facts;

namespace Cairn.Fleet.Tests.Catalog;

public sealed class The_built_in_catalogue
{
    private static IReadOnlyList<Offer> Offers => BuiltInCatalog.Offers;

    [Theory]
    [InlineData("AWS", "p5.48xlarge", "H100-SXM-80GB", 6.88, 6.88)]
    [InlineData("Azure", "ND H100 v5", "H100-SXM-80GB", 6.98, 6.98)]
    [InlineData("GCP", "a3-highgpu-8g", "H100-SXM-80GB", 5.62, 5.62)]
    [InlineData("CoreWeave", null, "H100-SXM-80GB", 2.99, 2.99)]
    [InlineData("Lambda", null, "H100-SXM-80GB", 2.49, 2.49)]
    [InlineData("io.net", null, "H100-SXM-80GB", 2.10, 3.50)]
    [InlineData("AWS", "p4d.24xlarge", "A100-80GB", 5.12, 5.12)]
    [InlineData("GCP", "a2-highgpu-1g", "A100-80GB", 3.67, 3.67)]
    [InlineData("Lambda", null, "A100-80GB", 1.29, 1.29)]
    [InlineData("io.net", null, "A100-80GB", 1.20, 2.00)]
    public void Carries_every_published_price(string provider, string? instanceType, string accelerator, double low, double high)
    {
        var offers = Offers.Where(o => o.Provider == provider && o.Accelerators?.Name == accelerator && (instanceType is null
            || o.InstanceType == instanceType)).ToList();
        Assert.NotEmpty(offers);
        Assert.All(offers, offer =>
        {
            var middle = (decimal)(low + high) / 2;
            Assert.Equal(middle, offer.OnDemand.UsdPerHour / offer.Accelerators!.Count);
            Assert.Equal((decimal)low, (offer.OnDemandRange?.Low ?? offer.OnDemand).UsdPerHour / offer.Accelerators.Count);
            Assert.Equal((decimal)high, (offer.OnDemandRange?.High ?? offer.OnDemand).UsdPerHour / offer.Accelerators.Count);
        });
    }

    [Fact]
    public void Says_where_each_figure_comes_from_and_when_it_held() => Assert.All(Offers, offer =>
    {
        Assert.True(offer.Source.Length > 10, offer.Id);
        Assert.InRange(offer.AsOf, new DateOnly(2025, 1, 1), new DateOnly(2026, 12, 31));
    });

    [Fact]
    public void Gives_no_id_twice() => Assert.Equal(Offers.Count, Offers.DistinctBy(offer => offer.Id).Count());

    [Fact]
    public void Puts_every_offer_on_the_map() => Assert.All(Offers, offer =>
    {
        Assert.Matches("^[A-Z]{2}$", offer.Region.Country);
        Assert.NotNull(offer.Region.Point);
    });

    [Fact]
    public void Uses_canonical_accelerators_with_the_memory_of_their_sheets() =>
        Assert.All(Offers.Where(offer => offer.Accelerators is not null), offer =>
        {
            var facts = Accelerators.Find(offer.Accelerators!.Name);
            Assert.Equal((facts?.Name, facts?.MemoryBytes, facts?.Vendor), (offer.Accelerators.Name, offer.Accelerators.MemoryBytes, offer.Accelerators.Vendor));
        });

    [Fact]
    public void Never_asks_more_for_less() => Assert.All(Offers, offer =>
    {
        Assert.True(offer.OnDemand.MicrosPerHour > 0, offer.Id);
        Assert.True(offer.Spot is null || (offer.Spot < offer.OnDemand && offer.InterruptionsPerHour > 0), offer.Id);
        Assert.True(offer.Reserved is null || (offer.Reserved < offer.OnDemand && offer.ReservedTermSeconds > 0), offer.Id);
        Assert.Equal(offer.Egress.Internet.Select(rung => rung.PerGigabyte).OrderDescending(), offer.Egress.Internet.Select(rung => rung.PerGigabyte));
    });

    [Fact]
    public void Calls_every_edge_price_an_assumption() =>
        Assert.All(Offers.Where(offer => offer.DeploymentModel == DeploymentModel.Edge), offer => Assert.StartsWith("assumed:", offer.Source, StringComparison.Ordinal));

    [Fact]
    public void Takes_45_dollars_for_500_GB_out_of_AWS_in_the_United_States()
    {
        var aws = Offers.First(offer => offer is { Provider: "AWS", Region.Country: "US" });
        Assert.Equal(45m, 500 * aws.Egress.Internet[0].PerGigabyte.Usd);
    }

    [Fact]
    public void Holds_what_each_place_is_like()
    {
        Assert.All(Of(DeploymentModel.Hyperscaler), offer => Assert.True(offer is { AvailabilityPercent: >= 99.9, Egress.Internet.Count: > 0 }));
        Assert.All(Of(DeploymentModel.Decentralized), offer => Assert.True(offer is { AvailabilityPercent: 0, BootSeconds: < 120, Egress.Internet.Count: 0 }));
        Assert.All(Of(DeploymentModel.Edge), offer => Assert.True(offer.WorksOffline));
        Assert.All(Offers.Where(offer => offer.Certifications.Contains("fedramp")), offer => Assert.Equal(("US", DeploymentModel.Hyperscaler), (offer.Region.Country, offer.DeploymentModel)));

        static IEnumerable<Offer> Of(DeploymentModel model) => Offers.Where(offer => offer.DeploymentModel == model);
    }
}
