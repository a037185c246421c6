using Cairn.Contracts.Offers;
using Cairn.Contracts.Units;
using Cairn.Contracts.Workloads;
using Cairn.Planning.Costs;

namespace Cairn.Planning.Comparing;

/// <summary>Accelerators kept around the clock.</summary>
/// <param name="Accelerator">A name as <see cref="AcceleratorName.Matches"/> reads it: <c>H100</c> covers every form factor.</param>
/// <param name="Count">How many, at least 1.</param>
public sealed record FleetNeed(string Accelerator, int Count)
{
    /// <summary>What is done with them, for the costs behind the hourly price; null compares hourly prices alone.</summary>
    public FleetUse? Use { get; init; }
}

/// <summary>A use of a fleet, in what it costs beyond the hours it works.</summary>
public sealed record FleetUse
{
    /// <summary>Bytes that leave the provider over the internet each month.</summary>
    public long EgressBytesPerMonth { get; init; }

    /// <summary>Bytes kept on persistent disk.</summary>
    public long StorageBytes { get; init; }

    /// <summary>The share of time, 0 to 1, in which the fleet works. Default 1.</summary>
    public double Utilization { get; init; } = 1;

    /// <summary>
    /// Into how many sessions a month the work falls. Where releasing the machines between them is cheaper than keeping them, they are released,
    /// and each session pays its boot, increment and minimum. 0, the default, keeps them around the clock.
    /// </summary>
    public int SessionsPerMonth { get; init; }
}

/// <summary>What a fleet costs at one provider, at the provider's cheapest offer per accelerator.</summary>
public sealed record FleetCostRow
{
    public required string Provider { get; init; }

    public required DeploymentModel DeploymentModel { get; init; }

    /// <summary>The offer that is priced.</summary>
    public required Offer Offer { get; init; }

    /// <summary>One accelerator for an hour; of a market the middle of <see cref="Low"/> and <see cref="High"/>.</summary>
    public required HourlyPrice PerAccelerator { get; init; }

    public required HourlyPrice Low { get; init; }

    public required HourlyPrice High { get; init; }

    /// <summary>All accelerators for an hour, each at its share of the machine's price.</summary>
    public required HourlyPrice Hourly { get; init; }

    /// <summary>730 hours.</summary>
    public required Money Monthly { get; init; }

    /// <summary>8,760 hours.</summary>
    public required Money Yearly { get; init; }

    /// <summary>Accelerators that must be rented to have the count, where only whole machines are rented.</summary>
    public required int RentedAccelerators { get; init; }

    /// <summary>The price of those.</summary>
    public required HourlyPrice RentedHourly { get; init; }

    /// <summary>Null where no use was described.</summary>
    public FleetHiddenCost? Hidden { get; init; }
}

/// <summary>What a month of the described use costs beyond the hours that work.</summary>
/// <param name="Busy">The hours in which the fleet works.</param>
/// <param name="Idle">Hours paid in which it does not: kept, booted or rounded up to.</param>
/// <param name="Egress">By the provider's ladder, from the start of the month.</param>
/// <param name="Storage">By whole gigabytes and months.</param>
public sealed record FleetHiddenCost(Money Busy, Money Idle, Money Egress, Money Storage)
{
    public Money Total => Busy + Idle + Egress + Storage;

    /// <summary>Idle, egress and storage over the working hours, in percent; 0 where nothing works.</summary>
    public double OverBusyPercent => Busy == Money.Zero ? 0 : (double)((Total - Busy).Usd / Busy.Usd * 100);
}

/// <summary>
/// The cost of accelerators around the clock at every provider. A month has 730 hours and a year 8,760, as storage prices and the industry's
/// monthly prices count them.
/// </summary>
public static class FleetCost
{
    public const int HoursPerMonth = 730;

    public const int HoursPerYear = 8760;

    /// <returns>One row for each provider that has the accelerator, cheapest first.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The count is less than 1, or the utilisation is not a share.</exception>
    public static IReadOnlyList<FleetCostRow> Compare(FleetNeed need, IEnumerable<Offer> offers)
    {
        ArgumentNullException.ThrowIfNull(need);
        ArgumentNullException.ThrowIfNull(offers);
        ArgumentOutOfRangeException.ThrowIfLessThan(need.Count, 1);
        if (need.Use is { } use && !(use.Utilization is >= 0 and <= 1 && use.SessionsPerMonth >= 0))
            throw new ArgumentOutOfRangeException(nameof(need), use, "Utilisation is a share from 0 to 1, and sessions are at least 0.");
        return
        [
            .. offers
                .Where(o => o.Accelerators is { } a && AcceleratorName.Matches(need.Accelerator, a.Name))
                .GroupBy(o => o.Provider, StringComparer.OrdinalIgnoreCase)
                .Select(g => Cheapest(need, g))
                .OrderBy(r => r.Hidden?.Total ?? r.Monthly).ThenBy(r => r.Provider, StringComparer.OrdinalIgnoreCase),
        ];
    }

    /// <summary>At the same hour's price regions differ in what hides behind it, so the whole month decides next.</summary>
    private static FleetCostRow Cheapest(FleetNeed need, IEnumerable<Offer> offers) => offers
        .Select(offer => Row(need, offer))
        .OrderBy(row => row.PerAccelerator).ThenBy(row => row.Hidden?.Total ?? row.Monthly).ThenBy(row => row.Offer.Id, StringComparer.Ordinal).First();

    private static FleetCostRow Row(FleetNeed need, Offer offer)
    {
        var each = offer.Accelerators!.Count;
        var rented = offer.Divisible ? need.Count : (need.Count + each - 1) / each * each;
        var range = offer.OnDemandRange ?? new PriceRange(offer.OnDemand, offer.OnDemand);
        var hourly = Share(offer.OnDemand, need.Count, each);
        return new FleetCostRow
        {
            Provider = offer.Provider,
            DeploymentModel = offer.DeploymentModel,
            Offer = offer,
            PerAccelerator = Share(offer.OnDemand, 1, each),
            Low = Share(range.Low, 1, each),
            High = Share(range.High, 1, each),
            Hourly = hourly,
            Monthly = hourly.CostOf(TimeSpan.FromHours(HoursPerMonth)),
            Yearly = hourly.CostOf(TimeSpan.FromHours(HoursPerYear)),
            RentedAccelerators = rented,
            RentedHourly = Share(offer.OnDemand, rented, each),
            Hidden = need.Use is { } use ? HiddenCost(use, offer, hourly) : null,
        };
    }

    private static FleetHiddenCost HiddenCost(FleetUse use, Offer offer, HourlyPrice hourly)
    {
        const long MonthSeconds = HoursPerMonth * 3600L;
        var busySeconds = (long)Math.Round(MonthSeconds * use.Utilization);
        var billedSeconds = use.SessionsPerMonth == 0 ? MonthSeconds : Math.Min(MonthSeconds, InSessions(use.SessionsPerMonth, busySeconds, offer));
        var busy = Amounts.OfTime(hourly.MicrosPerHour, busySeconds);
        return new FleetHiddenCost(
            new Money(busy),
            new Money(Amounts.OfTime(hourly.MicrosPerHour, billedSeconds) - busy),
            new Money(EgressLadder.Cost(offer.Egress.Internet, 0, use.EgressBytesPerMonth)),
            new Money(Amounts.OfStorage(Amounts.WholeGigabytes(use.StorageBytes), offer.StoragePerGigabyteMonth.Micros, MonthSeconds)));
    }

    private static long InSessions(int sessions, long busySeconds, Offer offer)
    {
        var session = (busySeconds + sessions - 1) / sessions + (offer.BootBilled ? offer.BootSeconds : 0);
        return sessions * Amounts.RoundUp(Math.Max(session, offer.BillingMinimumSeconds), offer.BillingIncrementSeconds);
    }

    private static HourlyPrice Share(HourlyPrice machine, int wanted, int each) => new(Amounts.MulDiv(machine.MicrosPerHour, wanted, each));
}
