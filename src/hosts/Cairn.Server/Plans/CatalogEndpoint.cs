using System.Globalization;
using Cairn.Contracts.Problems;
using Cairn.Fleet.Catalog;
using Cairn.Server.Problems;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Cairn.Server.Plans;

/// <summary>Imports offers from CSV: all rows or none.</summary>
public static class CatalogEndpoint
{
    private const long MostBytes = 512L << 20;
    private const int MostErrorsShown = 100;

    /// <summary>
    /// POST /catalog/import?mode=replace|add&amp;format=auto|cairn|sky_pilot&amp;provider=&amp;source=&amp;as_of=, the CSV as the body.
    /// </summary>
    internal static async Task<IResult> ImportAsync(
        HttpContext context, OfferCatalog catalog, TimeProvider time, string? mode, string? format, string? provider, string? source, string? as_of,
        CancellationToken cancellationToken)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
            size.MaxRequestBodySize = MostBytes;
        if (ReadMode(mode) is not { } importMode)
            return Refuse($"mode is '{mode}'; expected replace or add.");
        if (ReadFormat(format) is not { } importFormat)
            return Refuse($"format is '{format}'; expected auto, cairn or skypilot.");
        var asOf = DateOnly.FromDateTime(time.GetUtcNow().UtcDateTime);
        if (as_of is not null && !DateOnly.TryParseExact(as_of, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out asOf))
            return Refuse($"as_of is '{as_of}'; expected a day as YYYY-MM-DD.");

        // The reader goes over the file more than once, so it is spooled: to memory when small, else to disk.
        context.Request.EnableBuffering(bufferThreshold: 1 << 20, bufferLimit: MostBytes);
        await context.Request.Body.CopyToAsync(Stream.Null, cancellationToken);
        context.Request.Body.Position = 0;
        using var csv = new MemoryStream();
        await context.Request.Body.CopyToAsync(csv, cancellationToken);
        csv.Position = 0;
        var result = CatalogImport.Read(csv, importFormat, provider, source ?? "imported", asOf);
        if (result.ErrorCount > 0)
        {
            return ProblemResponses.Result(
                400, new Problem(ProblemCodes.InvalidCatalog, $"{result.ErrorCount} of {result.Rows} rows are wrong, so nothing was imported."),
                [.. result.Errors.Take(MostErrorsShown).Select(error => error.ToString())]);
        }

        await catalog.ImportAsync(result.Offers, importMode, cancellationToken);
        return Results.Ok(new CatalogImportView(
            result.Offers.Count, result.SkippedCount, [.. result.Skipped.Take(MostErrorsShown).Select(row => row.ToString())],
            [.. result.Offers.Select(offer => offer.Provider).Distinct(StringComparer.OrdinalIgnoreCase)]));
    }

    internal static async Task<IResult> RemoveAsync(string provider, OfferCatalog catalog, CancellationToken cancellationToken) =>
        await catalog.ForgetAsync(provider, cancellationToken)
            ? Results.NoContent()
            : ProblemResponses.Result(404, new Problem(ProblemCodes.NotFound, $"Nothing was imported for the provider '{provider}'."));

    public static CatalogMode? ReadMode(string? text) => text?.ToLowerInvariant() switch
    {
        null or "" or "replace" => CatalogMode.Replace,
        "add" => CatalogMode.Add,
        _ => null,
    };

    public static CatalogFormat? ReadFormat(string? text) => text?.ToLowerInvariant() switch
    {
        null or "" or "auto" => CatalogFormat.Auto,
        "cairn" => CatalogFormat.Cairn,
        "skypilot" => CatalogFormat.SkyPilot,
        _ => null,
    };

    private static IResult Refuse(string message) => ProblemResponses.Result(400, new Problem(ProblemCodes.InvalidRequest, message));
}

/// <param name="Imported">Offers that stand now.</param>
/// <param name="SkippedCount">Rows that were passed over, such as prices of zero.</param>
/// <param name="Skipped">The first of them with the reason.</param>
/// <param name="Providers">Whose offers they are.</param>
public sealed record CatalogImportView(int Imported, long SkippedCount, IReadOnlyList<string> Skipped, IReadOnlyList<string> Providers);
