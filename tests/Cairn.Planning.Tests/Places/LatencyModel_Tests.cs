using Cairn.Contracts.Offers;
using Cairn.Contracts.Workloads;
using Cairn.Planning.Places;
using CsCheck;
using static Cairn.Planning.Tests.Sample;

namespace Cairn.Planning.Tests.Places;

public sealed class LatencyModel_Tests
{
    private static readonly Dictionary<string, GeoPoint> s_cities = new()
    {
        ["Baltimore"] = new(39.29, -76.61), ["Brisbane"] = new(-27.47, 153.03), ["Dallas"] = new(32.78, -96.80), ["Fremont"] = new(37.55, -121.99),
        ["Milan"] = new(45.46, 9.19), ["Moscow"] = new(55.76, 37.62), ["New York"] = new(40.71, -74.01), ["Paris"] = new(48.86, 2.35),
        ["Sydney"] = new(-33.87, 151.21),
    };

    /// <summary>Milliseconds as WonderProxy published them for its servers: wonderproxy.com/blog/miles-per-milisecond, 2011.</summary>
    private static readonly (string From, string To, double Ms)[] s_measured =
    [
        ("Baltimore", "Dallas", 35.64), ("Baltimore", "Fremont", 79.68), ("Baltimore", "Milan", 104.70), ("Baltimore", "Moscow", 141.15),
        ("Baltimore", "Paris", 97.71), ("Dallas", "Fremont", 44.00), ("Dallas", "Milan", 140.00), ("Dallas", "New York", 36.80),
        ("Dallas", "Paris", 130.94), ("Dallas", "Sydney", 221.72), ("Fremont", "New York", 78.43), ("Fremont", "Paris", 176.22),
        ("Fremont", "Sydney", 184.91), ("Brisbane", "Fremont", 174.38), ("Milan", "Moscow", 67.08), ("Milan", "Paris", 21.61),
        ("Moscow", "New York", 131.29), ("Moscow", "Paris", 56.74), ("New York", "Paris", 78.33), ("Paris", "Sydney", 348.84),
    ];

    [Fact]
    public void The_model_is_within_45_percent_of_each_measured_pair_and_20_in_the_median()
    {
        var errors = s_measured.Select(m => (m, Error: LatencyModel.RoundTripMs(s_cities[m.From], s_cities[m.To]) / m.Ms - 1)).ToArray();
        Assert.All(errors, e => Assert.InRange(e.Error, -0.45, 0.45));
        Assert.InRange(errors.Select(e => Math.Abs(e.Error)).Order().ElementAt(errors.Length / 2), 0, 0.20);
    }

    [Fact]
    public void Great_circles_are_right()
    {
        Assert.Equal(0, LatencyModel.DistanceKm(s_cities["Paris"], s_cities["Paris"]));
        Assert.Equal(5837, LatencyModel.DistanceKm(s_cities["Paris"], s_cities["New York"]), 10.0);
        Assert.Equal(Math.PI * LatencyModel.EarthRadiusKm, LatencyModel.DistanceKm(new(0, 0), new(0, 180)), 0.001);
        Assert.Equal(Math.PI * LatencyModel.EarthRadiusKm, LatencyModel.DistanceKm(new(90, 0), new(-90, 77)), 0.001);
    }

    [Fact]
    public void There_and_back_take_the_same_and_never_less_than_light_does() => Gen.Select(s_point, s_point).Sample((a, b) =>
    {
        var there = LatencyModel.RoundTripMs(a, b);
        Assert.Equal(there, LatencyModel.RoundTripMs(b, a), 1e-9);
        Assert.True(there > 2 * LatencyModel.DistanceKm(a, b) / 299.792458);
    });

    [Fact]
    public void What_is_farther_never_answers_sooner() => Gen.Select(s_point, s_point, s_point).Sample((a, b, c) =>
    {
        var (near, far) = LatencyModel.DistanceKm(a, b) <= LatencyModel.DistanceKm(a, c) ? (b, c) : (c, b);
        Assert.True(LatencyModel.RoundTripMs(a, near) <= LatencyModel.RoundTripMs(a, far));

        // Below a metre the difference may vanish beside the fixed part.
        if (LatencyModel.DistanceKm(a, far) - LatencyModel.DistanceKm(a, near) > 0.001)
            Assert.True(LatencyModel.RoundTripMs(a, near) < LatencyModel.RoundTripMs(a, far));
    });

    [Fact]
    public void An_edge_site_in_town_is_within_10_ms_and_a_region_some_hundred_kilometres_away_within_50()
    {
        var inTown = Offer("Edge", "vienna") with { Region = new Region("vienna", "AT", new GeoPoint(48.21, 16.37)) };
        var region = Offer("AWS", "eu-central-1") with { Region = new Region("eu-central-1", "DE", Frankfurt) };
        var overseas = Offer();
        Assert.Equal(["Edge"], Near(10));
        Assert.Equal(["AWS", "Edge"], Near(50));

        IEnumerable<string> Near(double ms) => (Workload() with
        {
            Where = new WhereSpec { Latency = new LatencySpec { MaxMs = ms, From = [new PlaceSpec("Vienna", new GeoPoint(48.2, 16.3))] } },
        }).Plan(inTown, region, overseas).Candidates.Select(c => c.Offer.Provider).Order();
    }

    [Fact]
    public void Residency_knows_the_Union_and_the_Area()
    {
        Assert.True(ResidencyGroups.Contains("EU", "DE") && ResidencyGroups.Contains("eea", "no") && ResidencyGroups.Contains("CH", "ch"));
        Assert.False(ResidencyGroups.Contains("EU", "NO") || ResidencyGroups.Contains("EU", "GB") || ResidencyGroups.Contains("EEA", "CH")
            || ResidencyGroups.Contains("EU", ""));
    }

    private static readonly Gen<GeoPoint> s_point = Gen.Select(Gen.Double[-90, 90], Gen.Double[-180, 180]).Select((lat, lon) => new GeoPoint(lat, lon));
}
