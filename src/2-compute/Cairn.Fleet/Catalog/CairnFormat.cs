using System.Globalization;
using Cairn.Contracts.Offers;
using Cairn.Contracts.Units;
using Cairn.Fleet.Catalog.Csv;
using Cairn.Hardware.Facts;
using C = Cairn.Fleet.Catalog.CairnColumn;

namespace Cairn.Fleet.Catalog;

/// <summary>Reads rows of Cairn's own layout, one offer each.</summary>
internal static class CairnFormat
{
    private const long Giga = 1_000_000_000;
    private const long Gibi = 1L << 30;
    private const decimal MostGigabytes = 1_000_000_000;

    /// <param name="row">Where reading stands.</param>
    /// <param name="source">Taken where the row names none.</param>
    /// <param name="asOf">Taken where the row has no date.</param>
    /// <returns>Null where the row is bad; its errors are recorded.</returns>
    public static Offer? Read(CsvRow row, string source, DateOnly asOf)
    {
        var provider = Name(row, C.Provider);
        var region = ReadRegion(row, provider);
        var instanceType = Name(row, C.InstanceType);
        var (price, range) = ReadPrice(row);
        var offer = new Offer
        {
            Id = OfferIds.Of(provider, region.Name, instanceType, row.Text((int)C.Variant)),
            Provider = provider,
            DeploymentModel = Required(row.Word<DeploymentModel>((int)C.DeploymentModel, "deployment_model"), row, C.DeploymentModel),
            Region = region,
            InstanceType = instanceType,
            Accelerators = ReadAccelerators(row),
            Divisible = row.Flag((int)C.Divisible, "divisible"),
            Cpus = (double)(row.Number((int)C.Cpus, "cpus", 0, 100_000) ?? 0),
            MemoryBytes = row.Bytes((int)C.MemoryGib, "memory_gib", Gibi, 10_000_000) ?? 0,
            DiskBytes = row.Bytes((int)C.DiskGb, "disk_gb", Giga, MostGigabytes) ?? 0,
            OnDemand = price,
            OnDemandRange = range,
            Spot = row.Price((int)C.SpotPerHour, "spot_per_hour"),
            Reserved = row.Price((int)C.ReservedPerHour, "reserved_per_hour"),
            ReservedTermSeconds = 86_400L * (row.Whole((int)C.ReservedTermDays, "reserved_term_days", 0, 36_500) ?? 0),
            BillingIncrementSeconds = row.Whole((int)C.BillingIncrementS, "billing_increment_s", 1, 31_536_000) ?? 1,
            BillingMinimumSeconds = row.Whole((int)C.BillingMinimumS, "billing_minimum_s", 0, 31_536_000) ?? 0,
            BootSeconds = row.Whole((int)C.BootS, "boot_s", 0, 2_592_000) ?? 0,
            BootBilled = row.Flag((int)C.BootBilled, "boot_billed"),
            Egress = ReadEgress(row),
            StoragePerGigabyteMonth = row.Usd((int)C.StoragePerGbMonth, "storage_per_gb_month") ?? Money.Zero,
            Certifications = row.Text((int)C.Certifications).ToLowerInvariant().Split([' ', ';'], StringSplitOptions.RemoveEmptyEntries),
            AvailabilityPercent = (double)(row.Number((int)C.AvailabilityPercent, "availability_percent", 0, 100) ?? 0),
            InterruptionsPerHour = (double)(row.Number((int)C.InterruptionsPerHour, "interruptions_per_hour", 0, 1) ?? 0),
            FailuresPerHour = (double)(row.Number((int)C.FailuresPerHour, "failures_per_hour", 0, 1) ?? 0),
            Interconnect = row.Word<InterconnectKind>((int)C.Interconnect, "interconnect") ?? InterconnectKind.None,
            Capacity = row.Whole((int)C.Capacity, "capacity", 0, 100_000_000),
            Trust = row.Word<TrustTier>((int)C.Trust, "trust") ?? TrustTier.Enterprise,
            WorksOffline = row.Flag((int)C.WorksOffline, "works_offline"),
            Labels = ReadLabels(row),
            Source = row.Text((int)C.Source) is { Length: > 0 } ownSource ? ownSource : source,
            AsOf = ReadDate(row) ?? asOf,
        };
        return row.Sound ? offer : null;
    }

    private static string Name(CsvRow row, C column)
    {
        var text = row.Required((int)column, CairnColumns.Names[(int)column]);
        if (text.Contains('/', StringComparison.Ordinal) && column != C.InstanceType)
            row.Error((int)column,
                $"{CairnColumns.Names[(int)column]} is '{CsvTable.Shown(text)}'; a slash parts the words of an id and cannot stand here");
        return text;
    }

    private static T Required<T>(T? value, CsvRow row, C column) where T : struct
    {
        if (value is null && row.Text((int)column).Length == 0)
            row.Error((int)column, $"{CairnColumns.Names[(int)column]} is empty; every row needs one");
        return value ?? default;
    }

    /// <summary>What the row leaves out of a known provider's region comes from the table of regions.</summary>
    private static Region ReadRegion(CsvRow row, string provider)
    {
        var name = Name(row, C.Region);
        var known = RegionTable.Find(provider, name);
        var country = row.Text((int)C.Country).ToUpperInvariant();
        if (country.Length != 0 && (country.Length != 2 || !country.All(char.IsAsciiLetterUpper)))
            row.Error((int)C.Country, $"country is '{CsvTable.Shown(country)}'; expected two letters (ISO 3166-1 alpha-2), such as DE");
        var latitude = row.Number((int)C.Latitude, "latitude", -90, 90);
        var longitude = row.Number((int)C.Longitude, "longitude", -180, 180);
        if (latitude is null != longitude is null && row.Sound)
            row.Error((int)C.Latitude, "only one of latitude and longitude is given; a point needs both");
        GeoPoint? point = latitude is { } la && longitude is { } lo ? new GeoPoint((double)la, (double)lo) : known?.Point;
        return new Region(name, country.Length > 0 ? country : known?.Country ?? "", point);
    }

    private static (HourlyPrice Price, PriceRange? Range) ReadPrice(CsvRow row)
    {
        var price = row.Price((int)C.PricePerHour, "price_per_hour");
        var low = row.Price((int)C.PriceLowPerHour, "price_low_per_hour");
        var high = row.Price((int)C.PriceHighPerHour, "price_high_per_hour");
        if (low is null && high is null)
        {
            if (price is null && row.Text((int)C.PricePerHour).Length == 0)
                row.Error((int)C.PricePerHour, "price_per_hour is empty; every row needs one, $0 included where it is free");
            return (price ?? HourlyPrice.Free, null);
        }

        if (low is not { } from || high is not { } to || from > to)
        {
            row.Error((int)C.PriceLowPerHour, "price_low_per_hour and price_high_per_hour go together, the low one not above the high one");
            return (price ?? HourlyPrice.Free, null);
        }

        return (price ?? new HourlyPrice((from.MicrosPerHour + to.MicrosPerHour) / 2), new PriceRange(from, to));
    }

    private static OfferAccelerators? ReadAccelerators(CsvRow row)
    {
        var name = row.Text((int)C.Accelerator);
        var count = row.Whole((int)C.AcceleratorCount, "accelerator_count", 0, 100_000);
        var memory = row.Bytes((int)C.AcceleratorMemoryGb, "accelerator_memory_gb", Giga, 1_000_000);
        if (name.Length == 0)
        {
            if (count > 0)
                row.Error((int)C.Accelerator, "accelerator is empty where accelerator_count is not");
            return null;
        }

        if (count is null or 0)
        {
            if (row.Text((int)C.AcceleratorCount) is "" or "0")
                row.Error((int)C.AcceleratorCount,
                    $"accelerator_count is empty for accelerator '{CsvTable.Shown(name)}'; expected 1 or more");
            return null;
        }

        var facts = Accelerators.Find(name);
        if (facts is null && memory is null)
            row.Error((int)C.Accelerator,
                $"accelerator '{CsvTable.Shown(name)}' is not in the table of accelerators; give accelerator_memory_gb or a known name");
        var vendor = row.Text((int)C.AcceleratorVendor).ToLowerInvariant();
        return new OfferAccelerators(
            facts?.Name ?? Contracts.Workloads.AcceleratorName.Canonical(name),
            vendor.Length > 0 ? vendor : facts?.Vendor ?? "unknown",
            memory ?? facts?.MemoryBytes ?? 0,
            count.Value);
    }

    private static EgressPrices ReadEgress(CsvRow row)
    {
        var ladder = EgressLadderText.Parse(row.Text((int)C.EgressInternet), out var problem);
        if (problem is not null)
            row.Error((int)C.EgressInternet, $"egress_internet {problem}");
        return new EgressPrices
        {
            Internet = ladder ?? [],
            CrossRegionPerGigabyte = row.Usd((int)C.EgressCrossRegionPerGb, "egress_cross_region_per_gb") ?? Money.Zero,
            InRegionPerGigabyte = row.Usd((int)C.EgressInRegionPerGb, "egress_in_region_per_gb") ?? Money.Zero,
        };
    }

    private static SortedDictionary<string, string> ReadLabels(CsvRow row)
    {
        var labels = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var pair in row.Text((int)C.Labels).Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var equals = pair.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0 || !labels.TryAdd(pair[..equals], pair[(equals + 1)..]))
                row.Error((int)C.Labels, $"labels has '{CsvTable.Shown(pair)}'; expected different NAME=VALUE, parted by semicolons");
        }

        return labels;
    }

    private static DateOnly? ReadDate(CsvRow row)
    {
        var text = row.Text((int)C.AsOf);
        if (text.Length == 0)
            return null;
        if (DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var date))
            return date;
        row.Error((int)C.AsOf, $"as_of is '{CsvTable.Shown(text)}'; expected a date as 2026-01-31");
        return null;
    }
}
