using System.Text;
using Cairn.Contracts.Offers;
using Cairn.Fleet.Catalog.Csv;
using Cairn.Fleet.Catalog.SkyPilot;

namespace Cairn.Fleet.Catalog;

/// <summary>Reads catalogues from CSV files, in Cairn's own layout or the public SkyPilot catalogue's.</summary>
public static class CatalogImport
{
    /// <summary>
    /// Reads a whole file. Any bad row means no offers, and every bad row is reported with its line and column.
    /// </summary>
    /// <param name="csv">UTF-8 text; read to its end and left open.</param>
    /// <param name="format">The layout, or <see cref="CatalogFormat.Auto"/> to tell it by the header.</param>
    /// <param name="provider">The provider's name for a layout whose rows do not carry it; ignored by Cairn's own.</param>
    /// <param name="source">Where the figures come from, for rows that do not say.</param>
    /// <param name="asOf">The day on which they held, for rows that do not say.</param>
    public static CatalogImportResult Read(Stream csv, CatalogFormat format, string? provider, string source, DateOnly asOf)
    {
        ArgumentNullException.ThrowIfNull(csv);
        ArgumentException.ThrowIfNullOrWhiteSpace(source);
        using var text = new StreamReader(csv, Encoding.UTF8, detectEncodingFromByteOrderMarks: true, 32 * 1024, leaveOpen: true);
        var reader = new CsvReader(text);
        var errors = new CatalogFindings();
        var skipped = new CatalogFindings();
        if (!reader.Read() || reader.Fault is not null)
        {
            var fault = reader.Fault;
            errors.Add(fault?.Line ?? 1, fault?.Column ?? 1, fault?.Message ?? "the file is empty; expected a header and rows");
            return Result(format, [], 0, errors, skipped);
        }

        if (format == CatalogFormat.Auto)
            format = LooksLikeCairns(reader) ? CatalogFormat.Cairn : CatalogFormat.SkyPilot;
        if (format == CatalogFormat.Cairn)
            return ReadCairns(reader, source, asOf, errors, skipped);
        if (string.IsNullOrWhiteSpace(provider))
        {
            errors.Add(1, 1, "the file does not say whose offers these are; name the provider");
            return Result(format, [], 0, errors, skipped);
        }
        return ReadSkyPilot(reader, new SkyPilotCatalog(provider, source, asOf, skipped), errors, skipped);
    }

    private static bool LooksLikeCairns(CsvReader reader) =>
        reader.Fields.Any(field => field.Text.Trim().Equals("provider", StringComparison.OrdinalIgnoreCase));

    private static CatalogImportResult ReadSkyPilot(
        CsvReader reader, SkyPilotCatalog catalog, CatalogFindings errors, CatalogFindings skipped)
    {
        var table = CsvTable.TryOpen(reader, SkyPilotRow.Columns, ignoreOthers: true, errors);
        foreach (var column in SkyPilotRow.Required.Where(column => table is not null && !table.Has(column)))
            errors.Add(1, 1, $"the column '{SkyPilotRow.Columns[column]}' is missing from the header");
        if (table is null || errors.Count > 0)
            return Result(CatalogFormat.SkyPilot, [], 0, errors, skipped);
        while (table.TryNext(out var row))
        {
            if (SkyPilotRow.Read(row) is { } read && errors.Count == 0)
                catalog.Add(read);
        }

        return Result(CatalogFormat.SkyPilot, errors.Count == 0 ? catalog.Offers() : [], table.Rows, errors, skipped);
    }

    private static CatalogImportResult ReadCairns(
        CsvReader reader, string source, DateOnly asOf, CatalogFindings errors, CatalogFindings skipped)
    {
        var offers = new List<Offer>();
        var table = CsvTable.TryOpen(reader, CairnColumns.Names, ignoreOthers: false, errors);
        foreach (var column in CairnColumns.Required.Where(column => table is not null && !table.Has((int)column)))
            errors.Add(1, 1, $"the column '{CairnColumns.Names[(int)column]}' is missing from the header");
        if (table is null || errors.Count > 0)
            return Result(CatalogFormat.Cairn, [], 0, errors, skipped);

        var lineOfId = new Dictionary<string, int>(StringComparer.Ordinal);
        while (table.TryNext(out var row))
        {
            if (CairnFormat.Read(row, source, asOf) is not { } offer)
                continue;
            if (lineOfId.TryGetValue(offer.Id, out var line))
                errors.Add(row.Line, 1, $"the offer '{offer.Id}' stands on line {line} already; tell the two apart by variant");
            else
                lineOfId.Add(offer.Id, row.Line);
            offers.Add(offer);
        }

        return Result(CatalogFormat.Cairn, offers, table.Rows, errors, skipped);
    }

    private static CatalogImportResult Result(
        CatalogFormat format, IReadOnlyList<Offer> offers, long rows, CatalogFindings errors, CatalogFindings skipped) => new()
    {
        Format = format,
        Offers = errors.Count == 0 ? offers : [],
        Errors = errors.Listed,
        ErrorCount = errors.Count,
        Skipped = skipped.Listed,
        SkippedCount = skipped.Count,
        Rows = rows,
    };
}
