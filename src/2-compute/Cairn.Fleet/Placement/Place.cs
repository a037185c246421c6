using Cairn.Contracts.Units;

namespace Cairn.Fleet.Placement;

/// <summary>
/// One place where a job may run, as the plan at its admission chose it, with what each of its nodes takes and pays there.
/// </summary>
/// <param name="Offer">Id of the offer: the class of nodes.</param>
/// <param name="Provider">Who is paid.</param>
/// <param name="Region">Where.</param>
/// <param name="InstanceType">The offer's machine.</param>
/// <param name="Price">Of one node of the job for one hour.</param>
/// <param name="Accelerators">Per node; a fraction is a share of one.</param>
/// <param name="AcceleratorName">Canonical; null without accelerators.</param>
/// <param name="Cpus">Per node.</param>
/// <param name="MemoryBytes">Per node.</param>
/// <param name="DiskBytes">Per node.</param>
/// <param name="BillsBoot">Whether time before the task runs is billed.</param>
/// <param name="Simulated">Whether its devices are declared and not there.</param>
internal sealed record Place(
    string Offer,
    string Provider,
    string Region,
    string InstanceType,
    HourlyPrice Price,
    double Accelerators,
    string? AcceleratorName,
    double Cpus,
    long MemoryBytes,
    long DiskBytes,
    bool BillsBoot,
    bool Simulated);
