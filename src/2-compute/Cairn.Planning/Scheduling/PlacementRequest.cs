namespace Cairn.Planning.Scheduling;

/// <summary>One gang that wants room.</summary>
public sealed record PlacementRequest
{
    /// <summary>Names the gang, in practice the job's id: grants are held and released under it.</summary>
    public required Guid Key { get; init; }

    public required PlacementShape Shape { get; init; }

    /// <summary>A higher one is placed first.</summary>
    public int Priority { get; init; } = 50;

    /// <summary>The order of arrival: within one priority, a lower one is placed first. A gang that comes back keeps its own.</summary>
    public required long Sequence { get; init; }

    /// <summary>When the wait began, UTC microseconds; from it a blocked gang's right to a reservation counts.</summary>
    public required long SubmittedAtMicros { get; init; }

    /// <summary>
    /// The ranks to place, as many as the shape has tasks; null means 0 to tasks − 1. Naming them replaces lost ranks of a gang that still
    /// holds grants under <see cref="Key"/>: the new tasks keep to the survivors' domain and, where spread, off their nodes.
    /// </summary>
    public IReadOnlyList<int>? Ranks { get; init; }
}

/// <summary>Where one task goes.</summary>
/// <param name="Rank">Within the gang.</param>
/// <param name="Node">The handle that <see cref="SchedulerState.AddNode"/> gave.</param>
/// <param name="Choice">The entry of <see cref="PlacementShape.Choices"/> whose need was taken.</param>
/// <param name="Devices">The accelerators; bit i stands for index i. One bit where the task has a share.</param>
/// <param name="AcceleratorMilli">Thousandths of accelerators granted; below 1000 the share of the one device.</param>
public readonly record struct TaskPlacement(int Rank, int Node, int Choice, ulong Devices, int AcceleratorMilli)
{
    /// <summary>The set bits of <see cref="Devices"/>, ascending.</summary>
    public int[] DeviceIndexes => DeviceBits.ToIndexes(Devices);
}

/// <summary>A gang that was placed, whole.</summary>
public sealed class Placement
{
    public required PlacementRequest Request { get; init; }

    /// <summary>In the order of <see cref="PlacementRequest.Ranks"/>.</summary>
    public required TaskPlacement[] Tasks { get; init; }
}

/// <summary>A lease that was granted before this state was made.</summary>
/// <param name="Key">The gang's, as in <see cref="PlacementRequest.Key"/>.</param>
/// <param name="Node">The handle of the node that holds it.</param>
/// <param name="Devices">Bit i stands for index i.</param>
/// <param name="AcceleratorMilli">Thousandths granted; below 1000 the share of the one device.</param>
public readonly record struct HeldTask(
    Guid Key, int Rank, int Node, ulong Devices, int AcceleratorMilli, long CpuMillis, long MemoryBytes, long DiskBytes);
