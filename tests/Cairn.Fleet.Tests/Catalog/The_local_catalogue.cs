using System.Text;
using Cairn.Contracts.Offers;
using Cairn.Fleet.Catalog;

namespace Cairn.Fleet.Tests.Catalog;

public sealed class The_local_catalogue : IDisposable
{
    private static readonly DateOnly s_asOf = new(2026, 2, 3);

    private readonly string _folder = Directory.CreateTempSubdirectory("cairn-catalogue-").FullName;
    private readonly CancellationToken _token = TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static IReadOnlyList<Offer> Offers(string provider, params string[] types)
    {
        var csv = "InstanceType,Price,Region\n" + string.Concat(types.Select(type => $"{type},1.5,us-east-1\n"));
        return CatalogImport.Read(new MemoryStream(Encoding.UTF8.GetBytes(csv)), CatalogFormat.Auto, provider, "a test", s_asOf).Offers;
    }

    private CatalogFile File => new(_folder);

    private async Task<string[]> IdsOf(string provider) =>
        [.. (await File.LoadAsync(_token)).Offers.Where(offer => offer.Provider == provider).Select(offer => offer.Id)];

    [Fact]
    public async Task Is_the_built_in_one_before_any_import()
    {
        var catalog = await File.LoadAsync(_token);
        Assert.Equal(BuiltInCatalog.Offers.Select(offer => offer.Id).Order(StringComparer.Ordinal), catalog.Offers.Select(offer => offer.Id));
        Assert.All(catalog.Parts, part => Assert.Null(part.Mode));
        Assert.Empty(catalog.Problems);
    }

    [Fact]
    public async Task Hides_the_built_in_offers_of_a_provider_that_is_replaced()
    {
        await File.ImportAsync(Offers("aws", "a", "b"), CatalogMode.Replace, _token);
        Assert.Equal(["AWS/us-east-1/a", "AWS/us-east-1/b"], await IdsOf("AWS"));
        Assert.NotEmpty(await IdsOf("GCP"));
        await File.ImportAsync(Offers("aws", "c"), CatalogMode.Replace, _token);
        Assert.Equal(["AWS/us-east-1/c"], await IdsOf("AWS"));
        Assert.Equal([new CatalogPart("AWS", CatalogMode.Replace, 1, s_asOf, s_asOf)], (await File.LoadAsync(_token)).Parts.Where(part => part.Provider == "AWS"));
    }

    [Fact]
    public async Task Adds_to_what_is_there_and_lets_the_newer_of_one_id_win()
    {
        var before = (await IdsOf("AWS")).Length;
        await File.ImportAsync(Offers("aws", "x1", "m6i.xlarge"), CatalogMode.Add, _token);
        await File.ImportAsync(Offers("aws", "x2"), CatalogMode.Add, _token);
        Assert.Equal(before + 2, (await IdsOf("AWS")).Length);
        Assert.Equal(1.5m, (await File.LoadAsync(_token)).Offers.Single(offer => offer.Id == "AWS/us-east-1/m6i.xlarge").OnDemand.UsdPerHour);
    }

    [Fact]
    public async Task Shows_the_built_in_offers_again_when_an_import_is_forgotten()
    {
        await File.ImportAsync(Offers("Some One", "a"), CatalogMode.Replace, _token);
        await File.ImportAsync(Offers("aws", "a"), CatalogMode.Replace, _token);
        await File.ImportAsync(Offers("aws", "b"), CatalogMode.Add, _token);
        Assert.True(File.Forget("AWS"));
        Assert.False(File.Forget("AWS"));
        Assert.Equal(BuiltInCatalog.Offers.Count(offer => offer.Provider == "AWS"), (await IdsOf("AWS")).Length);
        Assert.Single(await IdsOf("Some One"));
    }

    [Fact]
    public async Task Leaves_out_a_broken_file_and_says_so()
    {
        await File.ImportAsync(Offers("aws", "a"), CatalogMode.Replace, _token);
        var path = Assert.Single(Directory.GetFiles(Path.Combine(_folder, "catalog")));
        await System.IO.File.AppendAllTextAsync(path, "nonsense\n", _token);
        var catalog = await File.LoadAsync(_token);
        Assert.Contains("line 3", Assert.Single(catalog.Problems), StringComparison.Ordinal);
        Assert.Equal(BuiltInCatalog.Offers.Count, catalog.Offers.Count);
    }

    [Fact]
    public async Task Keeps_a_providers_name_from_leading_out_of_its_folder()
    {
        await File.ImportAsync([.. Offers("x", "a").Select(offer => offer with { Id = "../../evil/us-east-1/a", Provider = "../../evil" })], CatalogMode.Add, _token);
        Assert.Single(Directory.GetFiles(Path.Combine(_folder, "catalog")));
    }
}
