using Cairn.Contracts.Api;


namespace Cairn.Fleet.Catalog;

/// <summary>
/// The columns of Cairn's own layout, in the order in which they are written; in a file they stand in snake_case and in any order.
/// </summary>
internal enum CairnColumn
{
    Provider,
    DeploymentModel,
    Region,
    Country,
    Latitude,
    Longitude,
    InstanceType,
    Variant,
    Accelerator,
    AcceleratorVendor,
    AcceleratorCount,
    AcceleratorMemoryGb,
    Divisible,
    Cpus,
    MemoryGib,
    DiskGb,
    PricePerHour,
    PriceLowPerHour,
    PriceHighPerHour,
    SpotPerHour,
    ReservedPerHour,
    ReservedTermDays,
    BillingIncrementS,
    BillingMinimumS,
    BootS,
    BootBilled,
    EgressInternet,
    EgressCrossRegionPerGb,
    EgressInRegionPerGb,
    StoragePerGbMonth,
    Certifications,
    AvailabilityPercent,
    InterruptionsPerHour,
    FailuresPerHour,
    Interconnect,
    Capacity,
    Trust,
    WorksOffline,
    Labels,
    Source,
    AsOf,
}

internal static class CairnColumns
{
    public static readonly IReadOnlyList<string> Names = EnumWords.All<CairnColumn>();

    /// <summary>What every file needs; the others have defaults.</summary>
    public static readonly IReadOnlyList<CairnColumn> Required =
        [CairnColumn.Provider, CairnColumn.DeploymentModel, CairnColumn.Region, CairnColumn.InstanceType, CairnColumn.PricePerHour];
}
