namespace Cairn.Planning.Scheduling;

/// <summary>What a node has to give, as the scheduler sees it: the inventory less what the node keeps for itself.</summary>
public sealed record NodeShape
{
    /// <summary>
    /// The most accelerators of one node: free devices are counted in rows of one machine word. A node with more is refused.
    /// </summary>
    public const int MaxDevices = 63;

    /// <summary>The class that requests name, in practice the id of the offer that the node stands behind.</summary>
    public required string NodeClass { get; init; }

    /// <summary>
    /// The network that the node shares with others: a pool, a region, an InfiniBand fabric. A gang that asks for one domain is placed on
    /// nodes with equal names; an empty name shares nothing.
    /// </summary>
    public string Domain { get; init; } = "";

    /// <summary>Thousandths of a CPU; not negative.</summary>
    public long CpuMillis { get; init; }

    public long MemoryBytes { get; init; }

    public long DiskBytes { get; init; }

    /// <summary>The accelerators in the order of their indexes: the first entry holds indexes 0 to its count − 1, and so on.</summary>
    public IReadOnlyList<DeviceShape> Devices { get; init; } = [];

    public IReadOnlyDictionary<string, string> Labels { get; init; } = new SortedDictionary<string, string>(StringComparer.Ordinal);
}

/// <summary>Equal accelerators of one node.</summary>
/// <param name="Name">Canonical name, such as <c>H100-SXM-80GB</c>.</param>
/// <param name="Vendor">Lower case, such as <c>nvidia</c>.</param>
/// <param name="MemoryBytes">Of one accelerator.</param>
/// <param name="Count">How many the node has, at least 1.</param>
public sealed record DeviceShape(string Name, string Vendor, long MemoryBytes, int Count);

/// <summary>What a node has left. CPU, memory and disk are negative where a node came back smaller than what it had granted.</summary>
/// <param name="WholeDevices">Accelerators that nothing uses; bit i stands for index i.</param>
/// <param name="AcceleratorMilli">Thousandths of accelerators, wholly and partly free ones together.</param>
public readonly record struct NodeRoom(long CpuMillis, long MemoryBytes, long DiskBytes, ulong WholeDevices, int AcceleratorMilli);
