using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Cairn.Contracts.Offers;

namespace Cairn.Fleet.Catalog;

/// <summary>How an import meets what is there already.</summary>
public enum CatalogMode
{
    /// <summary>The provider's offers are these and no others; the built-in ones are hidden.</summary>
    Replace,

    /// <summary>These come to the provider's offers; one with the id of another takes its place.</summary>
    Add,
}

/// <summary>The offers of a machine without a server: the built-in ones and what was imported.</summary>
/// <param name="Offers">Each id once, by id.</param>
/// <param name="Parts">What the offers are made of, by provider.</param>
/// <param name="Problems">Imported files that cannot be read, each with the reason; they count as not imported.</param>
public sealed record LocalCatalog(IReadOnlyList<Offer> Offers, IReadOnlyList<CatalogPart> Parts, IReadOnlyList<string> Problems);

/// <param name="Provider">Whose offers.</param>
/// <param name="Mode">Null for the built-in ones.</param>
/// <param name="Offers">How many of them stand.</param>
/// <param name="OldestAsOf">The oldest day on which one of their prices held.</param>
/// <param name="NewestAsOf">The newest.</param>
public sealed record CatalogPart(string Provider, CatalogMode? Mode, int Offers, DateOnly OldestAsOf, DateOnly NewestAsOf);

/// <summary>
/// Keeps imported offers as CSV files in Cairn's layout, one for each provider and mode, in the folder <c>catalog</c> below the data
/// folder. A person may read and edit them. A file is written whole and then takes its name, so that no reader meets half of one.
/// </summary>
public sealed class CatalogFile(string dataFolder)
{
    private readonly string _folder = Path.Combine(dataFolder, "catalog");

    public async Task<LocalCatalog> LoadAsync(CancellationToken cancellationToken)
    {
        var problems = new List<string>();
        var replaced = await ReadAsync(CatalogMode.Replace, problems, cancellationToken);
        var added = await ReadAsync(CatalogMode.Add, problems, cancellationToken);
        var hidden = replaced.Select(offer => offer.Provider).ToHashSet(StringComparer.OrdinalIgnoreCase);

        var offers = new SortedDictionary<string, (Offer Offer, CatalogMode? Mode)>(StringComparer.Ordinal);
        foreach (var offer in BuiltInCatalog.Offers.Where(offer => !hidden.Contains(offer.Provider)))
            offers[offer.Id] = (offer, null);
        foreach (var offer in replaced)
            offers[offer.Id] = (offer, CatalogMode.Replace);
        foreach (var offer in added)
            offers[offer.Id] = (offer, CatalogMode.Add);
        return new LocalCatalog([.. offers.Values.Select(entry => entry.Offer)], Parts(offers.Values), problems);
    }

    /// <summary>Keeps offers, provider by provider. Added ones join those that were added before; a replacement forgets them.</summary>
    public async Task ImportAsync(IReadOnlyList<Offer> offers, CatalogMode mode, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(offers);
        Directory.CreateDirectory(_folder);
        foreach (var group in offers.GroupBy(offer => offer.Provider, StringComparer.OrdinalIgnoreCase))
        {
            var path = PathOf(group.Key, mode);
            var kept = group.ToDictionary(offer => offer.Id, StringComparer.Ordinal);
            if (mode == CatalogMode.Add && File.Exists(path))
            {
                foreach (var before in (await ReadAsync(path, cancellationToken)).Offers)
                    kept.TryAdd(before.Id, before);
            }

            await WriteAsync(path, kept.Values.OrderBy(offer => offer.Id, StringComparer.Ordinal), cancellationToken);
            if (mode == CatalogMode.Replace)
                File.Delete(PathOf(group.Key, CatalogMode.Add));
        }
    }

    /// <summary>Forgets everything imported for a provider; its built-in offers show again.</summary>
    /// <returns>False where nothing was imported for it.</returns>
    public bool Forget(string provider)
    {
        var found = false;
        foreach (var path in Enum.GetValues<CatalogMode>().Select(mode => PathOf(provider, mode)).Where(File.Exists))
        {
            File.Delete(path);
            found = true;
        }

        return found;
    }

    private static IReadOnlyList<CatalogPart> Parts(IEnumerable<(Offer Offer, CatalogMode? Mode)> offers) =>
    [
        .. offers.GroupBy(entry => (entry.Offer.Provider, entry.Mode))
            .Select(group => new CatalogPart(
                group.Key.Provider, group.Key.Mode, group.Count(),
                group.Min(entry => entry.Offer.AsOf), group.Max(entry => entry.Offer.AsOf)))
            .OrderBy(part => part.Provider, StringComparer.OrdinalIgnoreCase).ThenBy(part => part.Mode),
    ];

    private async Task<List<Offer>> ReadAsync(CatalogMode mode, List<string> problems, CancellationToken cancellationToken)
    {
        var offers = new List<Offer>();
        if (!Directory.Exists(_folder))
            return offers;
        foreach (var path in Directory.EnumerateFiles(_folder, $"{Prefix(mode)}*.csv").Order(StringComparer.Ordinal))
        {
            var result = await ReadAsync(path, cancellationToken);
            if (result.ErrorCount > 0)
                problems.Add($"{path} has {result.ErrorCount} errors and is left out; the first is in {result.Errors[0]}. "
                    + "Import it again or delete it.");
            offers.AddRange(result.Offers);
        }

        return offers;
    }

    private static async Task<CatalogImportResult> ReadAsync(string path, CancellationToken cancellationToken)
    {
        using var bytes = new MemoryStream(await File.ReadAllBytesAsync(path, cancellationToken));
        var day = DateOnly.FromDateTime(File.GetLastWriteTimeUtc(path));
        return CatalogImport.Read(bytes, CatalogFormat.Cairn, provider: null, Path.GetFileName(path), day);
    }

    private static async Task WriteAsync(string path, IEnumerable<Offer> offers, CancellationToken cancellationToken)
    {
        using var text = new StringWriter(CultureInfo.InvariantCulture);
        CatalogExport.Write(text, offers);
        var draft = path + ".draft";
        await File.WriteAllTextAsync(draft, text.ToString(), cancellationToken);
        File.Move(draft, path, overwrite: true);
    }

    /// <summary>The name is for people; the hash keeps apart what reads alike.</summary>
    private string PathOf(string provider, CatalogMode mode)
    {
        var lower = provider.ToLowerInvariant();
        var readable = string.Concat(lower.Take(40).Select(c => char.IsAsciiLetterOrDigit(c) || c == '.' ? c : '-')).Trim('.');
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(lower)))[..8];
        return Path.Combine(_folder, $"{Prefix(mode)}{readable}-{hash}.csv");
    }

    private static string Prefix(CatalogMode mode) => mode == CatalogMode.Replace ? "replace-" : "add-";
}
