using Cairn.Contracts.Offers;
using Cairn.Contracts.Units;

namespace Cairn.Bench.Planning;

/// <summary>
/// Made-up offers in the proportions of a real market: a few hyperscalers with many sizes of machines in dozens of regions, specialised clouds
/// with a few, and a decentralised network whose suppliers ask their own prices in some hundred cities. The same for the same seed.
/// </summary>
internal static class SyntheticOffers
{
    private static readonly (string Name, string Vendor, int GiB, int Usd)[] s_cards =
    [
        ("H100-SXM-80GB", "nvidia", 80, 688), ("H100-PCIE-80GB", "nvidia", 80, 450), ("H200-SXM-141GB", "nvidia", 141, 800), ("B200-180GB", "nvidia", 180, 1100),
        ("A100-SXM-80GB", "nvidia", 80, 512), ("A100-PCIE-40GB", "nvidia", 40, 300), ("L40S-48GB", "nvidia", 48, 190), ("L4-24GB", "nvidia", 24, 80),
        ("A10G-24GB", "nvidia", 24, 100), ("T4-16GB", "nvidia", 16, 50), ("V100-16GB", "nvidia", 16, 250), ("RTX4090-24GB", "nvidia", 24, 60),
        ("RTX3090-24GB", "nvidia", 24, 30), ("MI300X-192GB", "amd", 192, 400), ("GAUDI3-128GB", "intel", 128, 300), ("TPU-V5P", "google", 95, 420),
    ];

    public static Offer[] Make(int count, int seed = 1)
    {
        var random = new Random(seed);
        var places = Places(random);
        var offers = new Offer[count];
        for (var i = 0; i < count; i++)
            offers[i] = One(i, places[random.Next(places.Length)], random);
        return offers;
    }

    private sealed record Seller(string Name, DeploymentModel Model, EgressPrices Egress, decimal Storage, double PriceFactor, Region Region);

    private static Seller[] Places(Random random)
    {
        var sellers = new List<Seller>();
        for (var s = 0; s < 30; s++)
        {
            var model = s < 4 ? DeploymentModel.Hyperscaler : s < 20 ? DeploymentModel.Specialized : DeploymentModel.Decentralized;
            var regions = model switch { DeploymentModel.Hyperscaler => 60, DeploymentModel.Specialized => 12, _ => 150 };
            var egress = model == DeploymentModel.Hyperscaler ? Hyperscaler(s) : new EgressPrices();
            for (var r = 0; r < regions; r++)
            {
                var point = new GeoPoint(random.NextDouble() * 110 - 45, random.NextDouble() * 360 - 180);
                string[] countries = ["US", "DE", "IE", "FR", "JP", "SG", "BR", "IN"];
                sellers.Add(new Seller($"provider-{s}", model, egress, model == DeploymentModel.Hyperscaler ? 0.08m : 0.05m,
                    model == DeploymentModel.Hyperscaler ? 1 : model == DeploymentModel.Specialized ? 0.5 : 0.4,
                    new Region($"region-{r}", countries[r % countries.Length], point)));
            }
        }

        return [.. sellers];
    }

    private static EgressPrices Hyperscaler(int number) => new()
    {
        Internet =
        [
            new PriceRung(10_240_000_000_000, Money.FromUsd(0.09m + number / 100m)), new PriceRung(51_200_000_000_000, Money.FromUsd(0.085m)),
            new PriceRung(null, Money.FromUsd(0.07m)),
        ],
        CrossRegionPerGigabyte = Money.FromUsd(0.02m),
        InRegionPerGigabyte = Money.FromUsd(0.01m),
    };

    private static Offer One(int number, Seller seller, Random random)
    {
        var card = random.Next(10) < 7 ? s_cards[random.Next(s_cards.Length)] : default;
        var count = card.Name is null ? 0 : 1 << random.Next(4);
        var cpus = card.Name is null ? 1 << random.Next(1, 8) : count * 16;
        var cents = (card.Usd * Math.Max(1, count) + cpus * 4) * seller.PriceFactor * (0.8 + random.NextDouble() * 0.4);
        var price = new HourlyPrice((long)(cents * 10_000) + 1);
        return new Offer
        {
            Id = $"{seller.Name}/{seller.Region.Name}/type-{number}",
            Provider = seller.Name,
            DeploymentModel = seller.Model,
            Region = seller.Region,
            InstanceType = $"type-{number}",
            Accelerators = card.Name is null ? null : new OfferAccelerators(card.Name, card.Vendor, (long)card.GiB << 30, count),
            Divisible = seller.Model == DeploymentModel.Decentralized,
            Cpus = cpus,
            MemoryBytes = (long)cpus << 33,
            DiskBytes = random.Next(3) * 500_000_000_000L,
            OnDemand = price,
            Spot = seller.Model == DeploymentModel.Hyperscaler ? new HourlyPrice(price.MicrosPerHour * 4 / 10) : null,
            BillingIncrementSeconds = seller.Model == DeploymentModel.Decentralized ? 1 : 60,
            BillingMinimumSeconds = seller.Model == DeploymentModel.Hyperscaler ? 60 : 0,
            BootSeconds = seller.Model == DeploymentModel.Hyperscaler ? 1200 : 100,
            BootBilled = seller.Model == DeploymentModel.Hyperscaler,
            Egress = seller.Egress,
            StoragePerGigabyteMonth = Money.FromUsd(seller.Storage),
            Certifications = seller.Model == DeploymentModel.Hyperscaler ? ["soc2", "hipaa", "iso27001"] : [],
            AvailabilityPercent = seller.Model == DeploymentModel.Hyperscaler ? 99.99 : 99,
            InterruptionsPerHour = 0.01 * (1 + random.Next(5)),
            FailuresPerHour = seller.Model == DeploymentModel.Decentralized ? 0.0001 * (1 + random.Next(20)) : 0.00001,
            Interconnect = (InterconnectKind)random.Next(5),
            Capacity = random.Next(4) == 0 ? null : random.Next(1, 64),
            Trust = seller.Model == DeploymentModel.Decentralized ? (TrustTier)random.Next(2) : TrustTier.Enterprise,
            Source = "made up for a benchmark",
            AsOf = new DateOnly(2026, 1, 1),
        };
    }
}
