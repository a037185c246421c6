using System.Collections.Frozen;
using System.Globalization;
using Cairn.Contracts.Offers;
using Cairn.Fleet.Catalog.Csv;

namespace Cairn.Fleet.Catalog;

/// <summary>
/// Where the regions of known providers are: the metropolitan area that the provider's own region list names, to a hundredth of a degree.
/// Public catalogues carry region names only, and without a point no latency can be planned.
/// </summary>
internal static class RegionTable
{
    private static readonly Lazy<FrozenDictionary<string, Region>> s_regions = new(Load);

    public static Region? Find(string provider, string region) => s_regions.Value.GetValueOrDefault(Key(provider, region));

    private static FrozenDictionary<string, Region> Load()
    {
        using var text = new StreamReader(EmbeddedFile.Open("regions.csv"));
        var reader = new CsvReader(text);
        reader.Read();
        var regions = new Dictionary<string, Region>(StringComparer.Ordinal);
        while (reader.Read())
        {
            var f = reader.Fields;
            var point = new GeoPoint(Degrees(f[3].Text), Degrees(f[4].Text));
            regions.Add(Key(f[0].Text, f[1].Text), new Region(f[1].Text, f[2].Text, point));
        }

        return regions.ToFrozenDictionary(StringComparer.Ordinal);
    }

    private static double Degrees(string text) => double.Parse(text, CultureInfo.InvariantCulture);

    private static string Key(string provider, string region) => $"{provider.ToUpperInvariant()}/{region.ToUpperInvariant()}";
}
