using Cairn.Contracts.Plans;

namespace Cairn.Planning.Fit;

/// <summary>One bit per code of <see cref="ReasonCodes"/>, so that all reasons of an offer are one number until somebody reads them.</summary>
[Flags]
internal enum ReasonBits : uint
{
    None = 0,
    Accelerator = 1 << 0,
    AcceleratorMemory = 1 << 1,
    AcceleratorCount = 1 << 2,
    Cpus = 1 << 3,
    Memory = 1 << 4,
    Disk = 1 << 5,
    Interconnect = 1 << 6,
    Labels = 1 << 7,
    DeploymentModel = 1 << 8,
    Provider = 1 << 9,
    Region = 1 << 10,
    Residency = 1 << 11,
    Certification = 1 << 12,
    Latency = 1 << 13,
    Availability = 1 << 14,
    Offline = 1 << 15,
    Trust = 1 << 16,
    Capacity = 1 << 17,
    Price = 1 << 18,
    Budget = 1 << 19,
    Deadline = 1 << 20,
    Interruption = 1 << 21,
    LaterChoice = 1 << 22,
    Preemptible = 1 << 23,
}

internal static class ReasonBitsCodes
{
    /// <summary>In the order of the bits.</summary>
    public static readonly string[] Codes =
    [
        ReasonCodes.Accelerator, ReasonCodes.AcceleratorMemory, ReasonCodes.AcceleratorCount, ReasonCodes.Cpus, ReasonCodes.Memory,
        ReasonCodes.Disk, ReasonCodes.Interconnect, ReasonCodes.Labels, ReasonCodes.DeploymentModel, ReasonCodes.Provider, ReasonCodes.Region,
        ReasonCodes.Residency, ReasonCodes.Certification, ReasonCodes.Latency, ReasonCodes.Availability, ReasonCodes.Offline,
        ReasonCodes.Trust, ReasonCodes.Capacity, ReasonCodes.Price, ReasonCodes.Budget, ReasonCodes.Deadline, ReasonCodes.Interruption,
        ReasonCodes.LaterChoice, ReasonCodes.Preemptible,
    ];
}
