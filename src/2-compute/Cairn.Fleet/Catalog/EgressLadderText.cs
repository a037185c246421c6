using System.Globalization;
using Cairn.Contracts.Offers;
using Cairn.Contracts.Units;

namespace Cairn.Fleet.Catalog;

/// <summary>
/// A price ladder in one field: <c>100:0|10240:0.09|:0.05</c> is free up to 100 GB a month, $0.09 a gigabyte up to 10,240 GB, and $0.05
/// beyond.
/// </summary>
internal static class EgressLadderText
{
    private const long Gigabyte = 1_000_000_000;
    private const int MaxRungs = 20;

    public static string Format(IReadOnlyList<PriceRung> rungs) => string.Join('|', rungs.Select(rung => string.Create(
        CultureInfo.InvariantCulture,
        $"{(rung.UpToBytes is { } bytes ? (decimal)bytes / Gigabyte : null):0.#########}:{rung.PerGigabyte.Usd:0.######}")));

    /// <returns>Null and what is wrong, where the text is no ladder.</returns>
    public static IReadOnlyList<PriceRung>? Parse(string text, out string? problem)
    {
        problem = null;
        if (text.Length == 0)
            return [];
        var parts = text.Split('|');
        var rungs = new List<PriceRung>(parts.Length);
        foreach (var part in parts)
        {
            problem = rungs.Count == MaxRungs ? $"has more than {MaxRungs} rungs" : Add(rungs, part);
            if (problem is not null)
                return null;
        }

        if (rungs[^1].UpToBytes is null)
            return rungs;
        problem = "ends; the last rung needs no bound, as in ':0.05'";
        return null;
    }

    private static string? Add(List<PriceRung> rungs, string part)
    {
        var colon = part.IndexOf(':', StringComparison.Ordinal);
        if (colon < 0 || !TryNumber(part[(colon + 1)..], 1_000, out var price))
            return $"has the rung '{Csv.CsvTable.Shown(part)}'; expected GB:PRICE, as in '10240:0.09'";
        if (rungs.Count > 0 && rungs[^1].UpToBytes is null)
            return "goes on behind the rung without a bound";
        long? upTo = null;
        if (part[..colon].Trim() is { Length: > 0 } bound)
        {
            if (!TryNumber(bound, 1_000_000_000, out var gigabytes))
                return $"has the bound '{Csv.CsvTable.Shown(bound)}'; expected gigabytes up to 1,000,000,000";
            upTo = (long)Math.Round(gigabytes * Gigabyte);
            if (upTo <= (rungs.Count == 0 ? 0 : rungs[^1].UpToBytes!.Value))
                return $"has the bound '{bound}' that is not above the one before";
        }

        rungs.Add(new PriceRung(upTo, Money.FromUsd(price)));
        return null;
    }

    private static bool TryNumber(string text, decimal max, out decimal value) =>
        decimal.TryParse(text.Trim(), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out value) && value <= max;
}
