using System.Globalization;
using Cairn.Contracts.Api;
using Cairn.Contracts.Offers;
using Cairn.Contracts.Units;
using Cairn.Hardware.Facts;

namespace Cairn.Fleet.Catalog;

/// <summary>Writes offers in Cairn's own layout. What is written reads back as the same offers.</summary>
public static class CatalogExport
{
    private const decimal Giga = 1_000_000_000m;
    private const decimal Gibi = 1L << 30;

    /// <exception cref="ArgumentException">An offer is not a catalogue's: nodes stand behind it, or its id was made in another
    /// way.</exception>
    public static void Write(TextWriter text, IEnumerable<Offer> offers)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(offers);
        text.Write(string.Join(',', CairnColumns.Names));
        text.Write('\n');
        foreach (var offer in offers)
        {
            var fields = CairnColumns.Names.Select((_, column) => Quoted(Field(offer, (CairnColumn)column)));
            text.Write(string.Join(',', fields));
            text.Write('\n');
        }
    }

    private static string Field(Offer offer, CairnColumn column) => column switch
    {
        CairnColumn.Provider => offer.Provider,
        CairnColumn.DeploymentModel => EnumWords.Of(offer.DeploymentModel),
        CairnColumn.Region => offer.Region.Name,
        CairnColumn.Country => offer.Region.Country,
        CairnColumn.Latitude => Text(offer.Region.Point?.Latitude),
        CairnColumn.Longitude => Text(offer.Region.Point?.Longitude),
        CairnColumn.InstanceType => offer.InstanceType,
        CairnColumn.Variant => VariantOf(offer),
        CairnColumn.Accelerator => offer.Accelerators?.Name ?? "",
        CairnColumn.AcceleratorVendor => offer.Accelerators is { } a && Accelerators.Find(a.Name)?.Vendor != a.Vendor ? a.Vendor : "",
        CairnColumn.AcceleratorCount => Text(offer.Accelerators?.Count),
        CairnColumn.AcceleratorMemoryGb => offer.Accelerators is { } a
            && Accelerators.Find(a.Name)?.MemoryBytes != a.MemoryBytes ? Text(a.MemoryBytes / Giga) : "",
        CairnColumn.Divisible => Flag(offer.Divisible),
        CairnColumn.Cpus => offer.Cpus == 0 ? "" : Text(offer.Cpus),
        CairnColumn.MemoryGib => offer.MemoryBytes == 0 ? "" : Text(offer.MemoryBytes / Gibi),
        CairnColumn.DiskGb => offer.DiskBytes == 0 ? "" : Text(offer.DiskBytes / Giga),
        CairnColumn.PricePerHour => Text(offer.OnDemand.UsdPerHour),
        CairnColumn.PriceLowPerHour => Text(offer.OnDemandRange?.Low.UsdPerHour),
        CairnColumn.PriceHighPerHour => Text(offer.OnDemandRange?.High.UsdPerHour),
        CairnColumn.SpotPerHour => Text(offer.Spot?.UsdPerHour),
        CairnColumn.ReservedPerHour => Text(offer.Reserved?.UsdPerHour),
        CairnColumn.ReservedTermDays => offer.ReservedTermSeconds == 0 ? "" : Text(offer.ReservedTermSeconds / 86_400m),
        CairnColumn.BillingIncrementS => Text(offer.BillingIncrementSeconds),
        CairnColumn.BillingMinimumS => Text(offer.BillingMinimumSeconds),
        CairnColumn.BootS => Text(offer.BootSeconds),
        CairnColumn.BootBilled => Flag(offer.BootBilled),
        CairnColumn.EgressInternet => EgressLadderText.Format(offer.Egress.Internet),
        CairnColumn.EgressCrossRegionPerGb => Usd(offer.Egress.CrossRegionPerGigabyte),
        CairnColumn.EgressInRegionPerGb => Usd(offer.Egress.InRegionPerGigabyte),
        CairnColumn.StoragePerGbMonth => Usd(offer.StoragePerGigabyteMonth),
        CairnColumn.Certifications => string.Join(' ', offer.Certifications),
        CairnColumn.AvailabilityPercent => offer.AvailabilityPercent == 0 ? "" : Text(offer.AvailabilityPercent),
        CairnColumn.InterruptionsPerHour => offer.InterruptionsPerHour == 0 ? "" : Text(offer.InterruptionsPerHour),
        CairnColumn.FailuresPerHour => offer.FailuresPerHour == 0 ? "" : Text(offer.FailuresPerHour),
        CairnColumn.Interconnect => EnumWords.Of(offer.Interconnect),
        CairnColumn.Capacity => Text(offer.Capacity),
        CairnColumn.Trust => EnumWords.Of(offer.Trust),
        CairnColumn.WorksOffline => Flag(offer.WorksOffline),
        CairnColumn.Labels => string.Join(';', offer.Labels.Select(label => $"{label.Key}={label.Value}")),
        CairnColumn.Source => offer.Source,
        CairnColumn.AsOf => offer.AsOf.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
        _ => throw new System.Diagnostics.UnreachableException($"{column} has no field."),
    };

    private static string VariantOf(Offer offer)
    {
        if (offer.Runnable || offer.Simulated)
            throw new ArgumentException(
                $"The offer '{offer.Id}' has nodes behind it; only offers of a catalogue are written.", nameof(offer));
        return OfferIds.VariantOf(offer.Id, offer.Provider, offer.Region.Name, offer.InstanceType)
            ?? throw new ArgumentException($"The offer '{offer.Id}' has an id that is not provider/region/instance-type.", nameof(offer));
    }

    private static string Text(IFormattable? value) => value switch
    {
        null => "",
        decimal number => number.ToString("0.############################", CultureInfo.InvariantCulture),
        double number => ((decimal)number).ToString("0.############################", CultureInfo.InvariantCulture),
        _ => value.ToString(null, CultureInfo.InvariantCulture),
    };

    private static string Usd(Money price) => price == Money.Zero ? "" : Text(price.Usd);

    private static string Flag(bool value) => value ? "true" : "";

    private static string Quoted(string field) =>
        field.AsSpan().IndexOfAny(",\"\r\n") < 0 ? field : $"\"{field.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}
