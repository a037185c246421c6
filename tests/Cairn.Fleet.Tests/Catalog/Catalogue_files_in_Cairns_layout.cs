using System.Text;
using System.Text.Json;
using Cairn.Contracts.Api;
using Cairn.Contracts.Offers;
using Cairn.Contracts.Units;
using Cairn.Fleet.Catalog;
using CsCheck;

namespace Cairn.Fleet.Tests.Catalog;

public sealed class Catalogue_files_in_Cairns_layout
{
    private static readonly DateOnly s_asOf = new(2026, 1, 31);

    private static CatalogImportResult Read(byte[] csv) =>
        CatalogImport.Read(new MemoryStream(csv), CatalogFormat.Auto, "p", "test file", s_asOf);

    private static CatalogImportResult Read(string csv) => Read(Encoding.UTF8.GetBytes(csv));

    private static string Write(IEnumerable<Offer> offers)
    {
        using var text = new StringWriter();
        CatalogExport.Write(text, offers);
        return text.ToString();
    }

    private static string Json(IEnumerable<Offer> offers) => JsonSerializer.Serialize(offers, ApiJson.Indented);

    [Fact]
    public void Carry_the_built_in_catalogue_there_and_back() =>
        Assert.Equal(Json(BuiltInCatalog.Offers), Json(Read(Write(BuiltInCatalog.Offers)).Offers));

    [Fact]
    public void Carry_any_offers_there_and_back() => GenOffers.Sample(
        offers =>
        {
            var result = Read(Write(offers));
            Assert.Empty(result.Errors);
            Assert.Equal(Json(offers), Json(result.Offers));
        },
        iter: 200);

    [Fact]
    public void Never_throw_whatever_bytes_are_changed()
    {
        var csv = Encoding.UTF8.GetBytes(Write(BuiltInCatalog.Offers.Take(12)));
        Gen.Select(Gen.Int[0, csv.Length - 1], Gen.Byte, Gen.Int[0, 2]).List[1, 8].Sample(
            changes =>
            {
                var bytes = csv.ToList();
                foreach (var (at, value, kind) in changes)
                    Change(bytes, Math.Min(at, bytes.Count - 1), value, kind);
                var result = Read([.. bytes]);
                Assert.True(result.ErrorCount == 0 || result.Offers.Count == 0);
            },
            iter: 2_000);

        static void Change(List<byte> bytes, int at, byte value, int kind)
        {
            if (kind == 0)
                bytes[at] = value;
            else if (kind == 1)
                bytes.Insert(at, value);
            else
                bytes.RemoveAt(at);
        }
    }

    [Fact]
    public void Never_throw_whatever_text_they_hold() =>
        Gen.OneOf(Gen.String, Gen.String[Gen.Char["\",\r\n'{}[]:ab01."], 0, 300]).Sample(text =>
        {
            _ = Read(text);
            _ = Read("InstanceType,AcceleratorName,AcceleratorCount,Price,Region,GpuInfo\n" + text);
        }, iter: 2_000);

    [Fact]
    public void May_come_with_a_byte_order_mark_other_line_ends_quotes_and_any_order_of_columns()
    {
        const string Csv = "\uFEFFregion,price_per_hour,\"provider\",instance_type,deployment_model,source\r\n\r\nx-1,2.5,\"A, \"\"B\"\" & C\",m,specialized,\"two\r\nlines\"\r\n";
        var offer = Assert.Single(Read(Csv).Offers);
        Assert.Equal(("A, \"B\" & C", 2.5m, "two\r\nlines"), (offer.Provider, offer.OnDemand.UsdPerHour, offer.Source));
        Assert.Equal(s_asOf, offer.AsOf);
    }

    [Fact]
    public void Fill_in_what_the_tables_of_regions_and_accelerators_know()
    {
        var offer = Assert.Single(Read("provider,deployment_model,region,instance_type,price_per_hour,accelerator,accelerator_count\naws,hyperscaler,eu-central-1,p5,50,h100,8\n").Offers);
        Assert.Equal(("DE", "H100-SXM-80GB", 80_000_000_000, "nvidia"), (offer.Region.Country, offer.Accelerators!.Name, offer.Accelerators.MemoryBytes, offer.Accelerators.Vendor));
        Assert.NotNull(offer.Region.Point);
    }

    [Fact]
    public void Take_the_middle_where_only_the_ends_of_a_price_are_given()
    {
        var offer = Assert.Single(Read("provider,deployment_model,region,instance_type,price_per_hour,price_low_per_hour,price_high_per_hour\np,decentralized,r,gpu,,2.10,3.50\n").Offers);
        Assert.Equal(2.8m, offer.OnDemand.UsdPerHour);
        Assert.Equal((2.1m, 3.5m), (offer.OnDemandRange!.Low.UsdPerHour, offer.OnDemandRange.High.UsdPerHour));
    }

    [Theory]
    [InlineData("p,hyperscalar,r,m,1", 3, "'hyperscalar'; expected one of hyperscaler, specialized")]
    [InlineData(",edge,r,m,1", 1, "provider is empty")]
    [InlineData("p,edge,r,m,", 12, "price_per_hour is empty")]
    [InlineData("p,edge,r,m,1e9", 12, "'1e9'; expected a number from 0 to 1000000")]
    [InlineData("p,edge,a/b,m,1", 8, "a slash")]
    [InlineData("p,edge,r,m", 1, "4 fields; the header has 5")]
    [InlineData("p,edge,r,m,1,2", 1, "6 fields")]
    [InlineData("p,edge,r,\"m,1", 10, "never ends")]
    [InlineData("p,edge,r,m\"x,1", 11, "a quote inside")]
    [InlineData("p,edge,r,\"m\"x,1", 13, "behind the closing quote")]
    public void Say_where_and_what_is_wrong(string row, int column, string message)
    {
        var result = Read("provider,deployment_model,region,instance_type,price_per_hour\ngood,edge,r,m,1\n" + row + "\n");
        var error = Assert.Single(result.Errors);
        Assert.Equal((3, column), (error.Line, error.Column));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.Empty(result.Offers);
    }

    [Theory]
    [InlineData("egress_internet", "10:0.1|5:0.05|:0.01", "not above")]
    [InlineData("egress_internet", "10:0.1", "last rung needs no bound")]
    [InlineData("egress_internet", ":0.1|10:0.05", "goes on behind")]
    [InlineData("egress_internet", "x", "expected GB:PRICE")]
    [InlineData("country", "Germany", "two letters")]
    [InlineData("latitude", "91", "from -90 to 90")]
    [InlineData("latitude", "50", "a point needs both")]
    [InlineData("accelerator", "H100", "accelerator_count is empty")]
    [InlineData("accelerator_count", "2", "accelerator is empty")]
    [InlineData("divisible", "maybe", "true or false")]
    [InlineData("interconnect", "carrier pigeon", "infiniband")]
    [InlineData("as_of", "01.02.2026", "2026-01-31")]
    [InlineData("labels", "a=1;a=2", "NAME=VALUE")]
    [InlineData("price_low_per_hour", "1", "go together")]
    [InlineData("billing_increment_s", "0", "from 1")]
    [InlineData("colour", "red", "unknown column 'colour'")]
    public void Explain_each_bad_field(string column, string value, string message)
    {
        var result = Read($"provider,deployment_model,region,instance_type,price_per_hour,{column}\np,edge,r,m,1,{value}\n");
        Assert.Contains(message, Assert.Single(result.Errors).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Refuse_two_offers_of_one_id()
    {
        var result = Read("provider,deployment_model,region,instance_type,price_per_hour,variant\np,edge,r,m,1,\np,edge,r,m,2,b\np,edge,r,m,3,\n");
        Assert.Contains("line 2", Assert.Single(result.Errors).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Are_bounded_in_fields_and_their_length()
    {
        Assert.Contains("longer than", Read(new string('x', 100_000)).Errors[0].Message, StringComparison.Ordinal);
        Assert.Contains("more than 512 fields", Read(new string(',', 1_000)).Errors[0].Message, StringComparison.Ordinal);
        Assert.Contains("the file is empty", Read("\r\n\n").Errors[0].Message, StringComparison.Ordinal);
        Assert.Contains("not UTF-8", Read([.. "provider,x"u8, 0xC3, 0x28]).Errors[0].Message, StringComparison.Ordinal);
    }

    private static readonly Gen<string> s_word = Gen.String[Gen.Char["abcXYZ019.,-\" "], 1, 12].Where(text =>
        text.Trim() == text && text.Length > 0);

    private static readonly string[] s_cards = ["H100-SXM-80GB", "L4", "MYSTERY-9", ""];

    private static Gen<decimal> Price => Gen.Int[0, 100_000_000].Select(micros => micros / 1_000_000m);

    private static Gen<Offer> GenOffer =>
        from provider in s_word
        from region in s_word
        from type in s_word
        from model in Gen.Enum<DeploymentModel>()
        from prices in Price.Array[6]
        from numbers in Gen.Int[0, 500].Array[10]
        from flags in Gen.Bool.Array[8]
        from interconnect in Gen.Enum<InterconnectKind>()
        from trust in Gen.Enum<TrustTier>()
        from card in Gen.Int[0, 3].Select(i => s_cards[i])
        from words in s_word.Array[2]
        select Make(provider, region, type, model, prices, numbers, flags, interconnect, trust, card, words);

    private static Gen<List<Offer>> GenOffers => GenOffer.List[0, 12].Select(offers => offers.DistinctBy(offer => offer.Id).ToList());

    private static Offer Make(
        string provider, string region, string type, DeploymentModel model, decimal[] p, int[] n, bool[] f, InterconnectKind interconnect, TrustTier trust, string card, string[] words)
    {
        var variant = f[0] ? "/" + words[0].Replace(' ', '-') : "";
        return new Offer
        {
            Id = $"{provider}/{region}/{type}".Replace(' ', '-') + variant,
            Provider = provider,
            DeploymentModel = model,
            Region = new Region(region, f[1] ? "DE" : "", f[2] ? new GeoPoint(n[0] / 10.0, -n[1] / 8.0) : null),
            InstanceType = type,
            Accelerators = card.Length == 0 ? null : new OfferAccelerators(card, f[3] ? "someone" : card == "MYSTERY-9"
                ? "unknown" : "nvidia", f[4] || card == "MYSTERY-9" ? 12_345_678_901 : card == "L4"
                    ? 24_000_000_000 : 80_000_000_000, n[2] + 1),
            Divisible = f[3],
            Cpus = n[3] / 4.0,
            MemoryBytes = n[4] * 1_234_567_891L,
            DiskBytes = n[5] * 987_654_321L,
            OnDemand = HourlyPrice.FromUsd(p[0]),
            OnDemandRange = f[5] ? new PriceRange(HourlyPrice.FromUsd(Math.Min(p[0], p[1])), HourlyPrice.FromUsd(Math.Max(p[0], p[1]))) : null,
            Spot = f[6] ? HourlyPrice.FromUsd(p[2]) : null,
            Reserved = f[7] ? HourlyPrice.FromUsd(p[3]) : null,
            ReservedTermSeconds = 86_400L * n[6],
            BillingIncrementSeconds = n[7] + 1,
            BillingMinimumSeconds = n[8],
            BootSeconds = n[9],
            BootBilled = f[4],
            Egress = new EgressPrices
            {
                Internet = f[2] ? [new PriceRung(n[1] * 1_500_000_001L + 1, Money.FromUsd(p[4])), new PriceRung(null, Money.FromUsd(p[5]))] : [],
                CrossRegionPerGigabyte = Money.FromUsd(p[4]),
                InRegionPerGigabyte = Money.FromUsd(p[5]),
            },
            StoragePerGigabyteMonth = Money.FromUsd(p[2]),
            Certifications = f[1] ? ["soc2", "iso27001"] : [],
            AvailabilityPercent = n[0] / 5.0,
            InterruptionsPerHour = n[1] / 1000.0,
            FailuresPerHour = n[2] / 100_000.0,
            Interconnect = interconnect,
            Capacity = f[6] ? n[3] : null,
            Trust = trust,
            WorksOffline = f[7],
            Labels = f[0] ? new SortedDictionary<string, string>(StringComparer.Ordinal) { ["tier"] = "a=b", ["zone"] = "1" } : new SortedDictionary<string, string>(StringComparer.Ordinal),
            Source = words[1],
            AsOf = new DateOnly(2020, 1, 1).AddDays(n[4]),
        };
    }
}
