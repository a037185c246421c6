using Cairn.Contracts.Workloads;

namespace Cairn.Planning.Scheduling;

/// <summary>What one task takes from its node.</summary>
public sealed class TaskNeed : IEquatable<TaskNeed>
{
    /// <summary>One whole accelerator in <see cref="AcceleratorMilli"/>.</summary>
    public const int WholeAccelerator = 1000;

    private static readonly SortedDictionary<string, string> s_noLabels = new(StringComparer.Ordinal);

    /// <summary>
    /// Thousandths of accelerators. Below 1000 a share of one device, which tasks may share; from 1000 on whole devices of one kind, so a
    /// multiple of 1000. 0 asks for none.
    /// </summary>
    public int AcceleratorMilli { get; init; }

    /// <summary>Which accelerators will do, by name, vendor and memory; its count is not read. Null means any.</summary>
    public AcceleratorSpec? Accelerator { get; init; }

    /// <summary>Thousandths of a CPU; not negative.</summary>
    public long CpuMillis { get; init; }

    public long MemoryBytes { get; init; }

    public long DiskBytes { get; init; }

    /// <summary>Labels that the node must carry with these values.</summary>
    public IReadOnlyDictionary<string, string> NodeLabels { get; init; } = s_noLabels;

    /// <summary>True where a device of this kind satisfies <see cref="Accelerator"/>.</summary>
    public bool Accepts(DeviceShape device)
    {
        ArgumentNullException.ThrowIfNull(device);
        return AcceptsKind(device) && (Accelerator is null || Accelerator.MemoryBytes.Contains(device.MemoryBytes));
    }

    public bool Equals(TaskNeed? other)
    {
        if (ReferenceEquals(this, other))
            return true;
        return other is not null && AcceleratorMilli == other.AcceleratorMilli && CpuMillis == other.CpuMillis
            && MemoryBytes == other.MemoryBytes && DiskBytes == other.DiskBytes && SameAccelerator(Accelerator, other.Accelerator)
            && SameLabels(NodeLabels, other.NodeLabels);
    }

    public override bool Equals(object? obj) => Equals(obj as TaskNeed);

    /// <summary>Over the amounts alone: labels and accelerator names rarely tell two needs apart.</summary>
    public override int GetHashCode() => HashCode.Combine(AcceleratorMilli, CpuMillis, MemoryBytes, DiskBytes, NodeLabels.Count);

    /// <summary>Name and vendor, memory aside: a refusal by memory has a reason of its own.</summary>
    internal bool AcceptsKind(DeviceShape device)
    {
        if (Accelerator is null)
            return true;
        if (Accelerator.Vendor is { } vendor && !vendor.Equals(device.Vendor, StringComparison.OrdinalIgnoreCase))
            return false;
        if (Accelerator.Names.Count == 0)
            return true;
        foreach (var name in Accelerator.Names)
        {
            if (AcceleratorName.Matches(name, device.Name))
                return true;
        }

        return false;
    }

    internal void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfNegative(AcceleratorMilli);
        ArgumentOutOfRangeException.ThrowIfNegative(CpuMillis);
        ArgumentOutOfRangeException.ThrowIfNegative(MemoryBytes);
        ArgumentOutOfRangeException.ThrowIfNegative(DiskBytes);
        if (AcceleratorMilli > WholeAccelerator && AcceleratorMilli % WholeAccelerator != 0)
            throw new ArgumentException(
                $"AcceleratorMilli is {AcceleratorMilli}; above {WholeAccelerator} expected a multiple of it (whole accelerators).");
    }

    private static bool SameAccelerator(AcceleratorSpec? one, AcceleratorSpec? two)
    {
        if (ReferenceEquals(one, two))
            return true;
        if (one is null || two is null || one.Vendor != two.Vendor || one.MemoryBytes != two.MemoryBytes
            || one.Names.Count != two.Names.Count)
            return false;
        for (var i = 0; i < one.Names.Count; i++)
        {
            if (!string.Equals(one.Names[i], two.Names[i], StringComparison.Ordinal))
                return false;
        }

        return true;
    }

    private static bool SameLabels(IReadOnlyDictionary<string, string> one, IReadOnlyDictionary<string, string> two)
    {
        if (ReferenceEquals(one, two))
            return true;
        if (one.Count != two.Count)
            return false;
        foreach (var (name, value) in one)
        {
            if (!two.TryGetValue(name, out var other) || !string.Equals(value, other, StringComparison.Ordinal))
                return false;
        }

        return true;
    }
}
