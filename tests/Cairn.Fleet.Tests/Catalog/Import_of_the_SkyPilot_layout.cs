using System.Text;
using Cairn.Contracts.Offers;
using Cairn.Fleet.Catalog;

namespace Cairn.Fleet.Tests.Catalog;

public sealed class Import_of_the_SkyPilot_layout
{
    private static readonly DateOnly s_asOf = new(2026, 1, 31);

    private static CatalogImportResult Read(string csv, string provider) =>
        CatalogImport.Read(new MemoryStream(Encoding.UTF8.GetBytes(csv)), CatalogFormat.Auto, provider, "public catalogue", s_asOf);

    private static IReadOnlyList<Offer> Offers(string csv, string provider)
    {
        var result = Read(csv, provider);
        Assert.Empty(result.Errors);
        Assert.Equal(CatalogFormat.SkyPilot, result.Format);
        return result.Offers;
    }

    private static string Info(string name, string count, string size, string manufacturer = "NVIDIA") =>
        $"\"{{'Gpus': [{{'Name': '{name}', 'Manufacturer': '{manufacturer}', 'Count': {count}, 'MemoryInfo': {{'SizeInMiB': {size}}}}}], 'TotalGpuMemoryInMiB': {size}}}\"";

    [Fact]
    public void Makes_one_offer_of_all_zones_of_a_region_at_the_cheapest_price()
    {
        var offers = Offers(
            """
            InstanceType,AcceleratorName,AcceleratorCount,vCPUs,MemoryGiB,GpuInfo,Price,SpotPrice,Region,AvailabilityZone,Arch
            c8g.xlarge,,,4.0,8.0,,0.15952,0.070800,us-west-2,usw2-az4,arm64
            c8g.xlarge,,,4.0,8.0,,0.15952,0.060000,us-west-2,usw2-az1,arm64
            c8g.xlarge,,,4.0,8.0,,0.18000,,eu-central-1,euc1-az1,arm64
            """,
            "aws");
        Assert.Equal(["AWS/eu-central-1/c8g.xlarge", "AWS/us-west-2/c8g.xlarge"], offers.Select(offer => offer.Id));
        var west = offers[1];
        Assert.Equal((0.15952m, 0.06m, 4.0, 8L << 30), (west.OnDemand.UsdPerHour, west.Spot!.Value.UsdPerHour, west.Cpus, west.MemoryBytes));
        Assert.Equal(("US", "arm64", "DE"), (west.Region.Country, west.Labels["arch"], offers[0].Region.Country));
        Assert.NotNull(west.Region.Point);
        Assert.Null(west.Accelerators);
        Assert.True(west.InterruptionsPerHour > 0);
    }

    [Fact]
    public void Takes_hidden_prices_from_the_built_in_offers_of_the_provider()
    {
        var offers = Offers("InstanceType,Price,Region\nm9.large,0.5,us-east-1\nm9.large,0.6,eu-west-3\n", "AWS");
        Assert.All(offers, offer => Assert.Equal((DeploymentModel.Hyperscaler, 0.09m), (offer.DeploymentModel, offer.Egress.Internet[0].PerGigabyte.Usd)));
        Assert.Contains("fedramp", offers.Single(offer => offer.Region.Country == "US").Certifications);
        Assert.DoesNotContain("fedramp", offers.Single(offer => offer.Region.Country == "FR").Certifications);
        Assert.All(offers, offer => Assert.StartsWith("public catalogue; ", offer.Source, StringComparison.Ordinal));
        Assert.All(offers, offer => Assert.Equal(s_asOf, offer.AsOf));
    }

    [Fact]
    public void Joins_Googles_hosts_with_the_cards_of_their_zone()
    {
        var result = Read(
            """
            InstanceType,vCPUs,MemoryGiB,AcceleratorName,AcceleratorCount,GpuInfo,Region,AvailabilityZone,Price,SpotPrice
            a2-highgpu-1g,12.0,85.0,,,,us-central1,us-central1-a,0.73948,0.29576
            a2-highgpu-1g,12.0,85.0,,,,us-central1,us-central1-f,0.73948,0.29576
            g2-standard-24,24.0,96.0,,,,us-central1,us-central1-a,0.80000,
            n1-standard-4,4.0,15.0,,,,us-central1,us-central1-a,0.19000,0.04000
            n1-standard-8,8.0,30.0,,,,us-central1,us-central1-a,0.38000,0.08000
            ,,,A100,1.0,,us-central1,us-central1-a,2.93390,1.50000
            ,,,L4,2.0,,us-central1,us-central1-a,1.12000,0.4
            ,,,T4,2.0,,us-central1,us-central1-a,0.70000,0.2
            """,
            "gcp");
        Assert.Empty(result.Errors);
        var offers = result.Offers.ToDictionary(offer => offer.Id);
        Assert.Equal(
            ["GCP/us-central1/a2-highgpu-1g", "GCP/us-central1/g2-standard-24", "GCP/us-central1/n1-standard-4", "GCP/us-central1/n1-standard-8", "GCP/us-central1/n1-standard-8/T4x2"],
            offers.Keys.Order(StringComparer.Ordinal));
        Check("GCP/us-central1/a2-highgpu-1g", "A100-40GB", 1, 3.67338m, 1.79576m);
        Check("GCP/us-central1/g2-standard-24", "L4", 2, 1.92m, null);
        Check("GCP/us-central1/n1-standard-8/T4x2", "T4", 2, 1.08m, 0.28m);
        Assert.Null(offers["GCP/us-central1/n1-standard-8"].Accelerators);
        Assert.Contains("us-central1-f", Assert.Single(result.Skipped).Message, StringComparison.Ordinal);

        void Check(string id, string card, int count, decimal price, decimal? spot) =>
            Assert.Equal((card, count, price, spot), (offers[id].Accelerators!.Name, offers[id].Accelerators!.Count, offers[id].OnDemand.UsdPerHour, offers[id].Spot?.UsdPerHour));
    }

    [Theory]
    [InlineData("tpu-v3-32", "TPU-V3", 16)]
    [InlineData("tpu-v5litepod-8", "TPU-V5E", 8)]
    [InlineData("tpu-v6e-4", "TPU-V6E", 4)]
    [InlineData("tpu-v5p-8", "TPU-V5P", 4)]
    public void Counts_the_chips_of_a_TPU_slice(string name, string accelerator, int chips)
    {
        var offer = Assert.Single(Offers($"InstanceType,AcceleratorName,AcceleratorCount,GpuInfo,Price,SpotPrice,Region,AvailabilityZone\n,{name},1,{name},32.0,9.6,us-east1,us-east1-d\n", "gcp"));
        Assert.Equal((name, accelerator, chips, 32m), (offer.InstanceType, offer.Accelerators!.Name, offer.Accelerators.Count, offer.OnDemand.UsdPerHour));
    }

    [Theory]
    [InlineData("A100", "1", "A100", "40960", "A100-40GB")]
    [InlineData("A100", "1", "A100", "81920", "A100-80GB")]
    [InlineData("A100", "2", "A100", "81920", "A100-40GB")]
    [InlineData("A100", "2", "A100", "163840", "A100-80GB")]
    [InlineData("A100-80GB", "8", "A100 PCIe", "80", "A100-80GB")]
    [InlineData("A100-80GB", "8", "A100-80GB", "81920", "A100-80GB")]
    [InlineData("H100", "8", "H100", "652472", "H100-SXM-80GB")]
    [InlineData("H100", "1", "H100", "95830", "H100-NVL-94GB")]
    [InlineData("H100", "1", "H100 PCIe", "80", "H100-PCIE-80GB")]
    [InlineData("RTX4090", "4", "RTX4090", "98256", "RTX4090")]
    [InlineData("V100", "8", "V100", "16384", "V100-16GB")]
    [InlineData("Gaudi HL-205", "8", "Gaudi HL-205", "32768", "GAUDI-HL-205")]
    public void Reads_memory_whatever_its_unit_and_count(string name, string count, string infoName, string size, string canonical)
    {
        var csv = $"InstanceType,AcceleratorName,AcceleratorCount,vCPUs,MemoryGiB,Price,Region,GpuInfo,SpotPrice\nbox,{name},{count}.0,8,64,2.0,us-east-1,{Info(infoName, count, size)},\n";
        var accelerators = Assert.Single(Offers(csv, "shadeform")).Accelerators!;
        Assert.Equal((canonical, int.Parse(count)), (accelerators.Name, accelerators.Count));
    }

    [Fact]
    public void Keeps_a_card_that_the_table_does_not_know()
    {
        var offer = Assert.Single(Offers($"InstanceType,AcceleratorName,AcceleratorCount,Price,Region,GpuInfo\nbox,RTX_9999 Ti,2,0.4,\"Quebec, CA, NA\",{Info("RTX9999", "2", "49152")}\n", "somewhere"));
        Assert.Equal(("RTX9999-TI", "nvidia", 48L << 30), (offer.Accelerators!.Name, offer.Accelerators.Vendor, offer.Accelerators.MemoryBytes));
        Assert.Equal(("Quebec, CA, NA", "CA"), (offer.Region.Name, offer.Region.Country));
        Assert.Equal((DeploymentModel.Specialized, TrustTier.Verified), (offer.DeploymentModel, offer.Trust));
        Assert.Contains("unknown", offer.Source, StringComparison.Ordinal);
    }

    [Fact]
    public void Skips_and_counts_what_is_no_offer()
    {
        var result = Read(
            """
            InstanceType,AcceleratorName,AcceleratorCount,Price,SpotPrice,Region
            4CPU--16GB,,,0,0,kubernetes
            spot-only,H100,8,,3.2,us-east-1
            NV6ads,A10,0.167,0.45,,eastus
            nothing,H100,,1.0,,eastus
            nan-price,H100,1,nan,nan,eastus
            good,H100,1,2.0,0.00,eastus
            """,
            "elsewhere");
        Assert.Empty(result.Errors);
        Assert.Equal([2, 3, 4, 5, 6], result.Skipped.Select(finding => finding.Line));
        Assert.Equal((5, 6), (result.SkippedCount, result.Rows));
        Assert.Null(Assert.Single(result.Offers).Spot);
    }

    [Fact]
    public void Knows_a_provider_by_the_name_that_the_public_catalogue_uses()
    {
        Assert.Equal("Vast.ai", Assert.Single(Offers("InstanceType,Price,Region\nx,1,\"Texas, US, NA\"\n", "vast")).Provider);
        Assert.Equal("Azure", Assert.Single(Offers("InstanceType,Price,Region\nx,1,eastus\n", "azure")).Provider);
    }

    [Fact]
    public void Needs_the_providers_name() =>
        Assert.Equal(1, CatalogImport.Read(new MemoryStream("InstanceType,Price,Region\nx,1,y\n"u8.ToArray()), CatalogFormat.SkyPilot, null, "s", s_asOf).ErrorCount);

    [Fact]
    public void Reports_every_bad_row_with_its_place_and_imports_nothing()
    {
        var result = Read("InstanceType,Price,Region\ngood,1,r\nbad,cheap,r\nworse,-1,r\n,2,\nshort,1\n", "x");
        Assert.Empty(result.Offers);
        Assert.Equal([(3, 5), (4, 7), (5, 4), (6, 1)], result.Errors.Select(error => (error.Line, error.Column)));
    }

    [Fact]
    public void Ignores_columns_it_does_not_use_and_names_those_it_needs()
    {
        Assert.Single(Offers("LocalDiskType,Region,Price,InstanceType,NVMeSupported\nssd,us-east-1,1,x,True\n", "aws"));
        Assert.Contains("'Price'", Assert.Single(Read("InstanceType,Region\nx,y\n", "aws").Errors).Message, StringComparison.Ordinal);
    }

    [Fact]
    [Trait("speed", "slow")]
    public void Reads_half_a_million_rows_in_seconds()
    {
        var csv = new StringBuilder("InstanceType,AcceleratorName,AcceleratorCount,vCPUs,MemoryGiB,GpuInfo,Price,SpotPrice,Region,AvailabilityZone,Arch\n");
        for (var i = 0; i < 500_000; i++)
            csv.Append($"type{i % 5_000}.xlarge,L4,1.0,4.0,16.0,{Info("L4", "1", "22888")},0.8048,0.3{i % 10},region-{i / 5_000 % 40},zone-{i / 200_000},x86_64\n");
        var before = Environment.CpuUsage.TotalTime;
        var offers = Offers(csv.ToString(), "aws");
        var used = Environment.CpuUsage.TotalTime - before;
        TestContext.Current.TestOutputHelper!.WriteLine($"{used.TotalSeconds:0.00} s of processor time for {csv.Length / 1e6:0} MB, {offers.Count} offers");
        Assert.Equal(200_000, offers.Count);
        Assert.True(used < TimeSpan.FromSeconds(30), $"{used}");
    }
}
