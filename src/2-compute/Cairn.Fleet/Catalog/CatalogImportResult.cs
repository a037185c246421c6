using Cairn.Contracts.Offers;

namespace Cairn.Fleet.Catalog;

/// <summary>What came out of a file: all of its offers, or none of them and every error.</summary>
public sealed record CatalogImportResult
{
    /// <summary>The most errors and skipped rows that are kept one by one; all are counted.</summary>
    public const int MaxListed = 10_000;

    /// <summary>The layout that the file was read in.</summary>
    public required CatalogFormat Format { get; init; }

    /// <summary>Empty where there is any error: nothing is half imported.</summary>
    public required IReadOnlyList<Offer> Offers { get; init; }

    /// <summary>In the order of the file.</summary>
    public required IReadOnlyList<CatalogFinding> Errors { get; init; }

    public required long ErrorCount { get; init; }

    /// <summary>Rows that are well-formed and no offer, such as a price of $0, each with the reason.</summary>
    public required IReadOnlyList<CatalogFinding> Skipped { get; init; }

    public required long SkippedCount { get; init; }

    /// <summary>Rows behind the header.</summary>
    public required long Rows { get; init; }
}

/// <param name="Line">Counted from 1.</param>
/// <param name="Column">In characters, counted from 1.</param>
/// <param name="Message">Names the value, what was expected and what to do.</param>
public sealed record CatalogFinding(int Line, int Column, string Message)
{
    public override string ToString() => $"line {Line}, column {Column}: {Message}";
}

/// <summary>The layouts that a catalogue is read in.</summary>
public enum CatalogFormat
{
    /// <summary>Told by the header.</summary>
    Auto,

    /// <summary>Cairn's own, see docs/catalog-format.md.</summary>
    Cairn,

    /// <summary>The public SkyPilot catalogue's <c>vms.csv</c>.</summary>
    SkyPilot,
}
