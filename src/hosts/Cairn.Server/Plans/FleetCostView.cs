using Cairn.Contracts.Offers;
using Cairn.Planning.Comparing;

namespace Cairn.Server.Plans;

/// <summary>One provider's row of a comparison, in dollars.</summary>
public sealed record FleetCostView
{
    public required string Provider { get; init; }

    public required DeploymentModel DeploymentModel { get; init; }

    public required string Region { get; init; }

    public required string InstanceType { get; init; }

    public required string Accelerator { get; init; }

    public required decimal PerGpuHourUsd { get; init; }

    public required decimal LowPerGpuHourUsd { get; init; }

    public required decimal HighPerGpuHourUsd { get; init; }

    public required decimal PerHourUsd { get; init; }

    public required decimal PerMonthUsd { get; init; }

    public required decimal PerYearUsd { get; init; }

    /// <summary>Where only whole machines are rented, more than was asked for.</summary>
    public required int RentedAccelerators { get; init; }

    public required decimal RentedPerHourUsd { get; init; }

    public decimal? IdlePerMonthUsd { get; init; }

    public decimal? EgressPerMonthUsd { get; init; }

    public decimal? StoragePerMonthUsd { get; init; }

    /// <summary>With everything that hides behind the hour.</summary>
    public decimal? TotalPerMonthUsd { get; init; }

    public double? HiddenPercent { get; init; }

    public static FleetCostView From(FleetCostRow row)
    {
        ArgumentNullException.ThrowIfNull(row);
        return new FleetCostView
        {
            Provider = row.Provider,
            DeploymentModel = row.DeploymentModel,
            Region = row.Offer.Region.Name,
            InstanceType = row.Offer.InstanceType,
            Accelerator = row.Offer.Accelerators!.Name,
            PerGpuHourUsd = row.PerAccelerator.UsdPerHour,
            LowPerGpuHourUsd = row.Low.UsdPerHour,
            HighPerGpuHourUsd = row.High.UsdPerHour,
            PerHourUsd = row.Hourly.UsdPerHour,
            PerMonthUsd = row.Monthly.Usd,
            PerYearUsd = row.Yearly.Usd,
            RentedAccelerators = row.RentedAccelerators,
            RentedPerHourUsd = row.RentedHourly.UsdPerHour,
            IdlePerMonthUsd = row.Hidden?.Idle.Usd,
            EgressPerMonthUsd = row.Hidden?.Egress.Usd,
            StoragePerMonthUsd = row.Hidden?.Storage.Usd,
            TotalPerMonthUsd = row.Hidden?.Total.Usd,
            HiddenPercent = row.Hidden is null ? null : Math.Round(row.Hidden.OverBusyPercent, 1),
        };
    }
}
