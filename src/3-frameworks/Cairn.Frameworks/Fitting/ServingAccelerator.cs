namespace Cairn.Frameworks.Fitting;

/// <summary>
/// What the arithmetic needs to know of an accelerator. Rates are a data sheet's dense peaks; null where the vendor gives none.
/// </summary>
public sealed record ServingAccelerator
{
    public required string Name { get; init; }

    /// <summary>Bytes.</summary>
    public required long MemoryBytes { get; init; }

    /// <summary>Bytes per second.</summary>
    public required double MemoryBandwidth { get; init; }

    /// <summary>FLOP/s in 16-bit floats; where there are no matrix units, the vector rate.</summary>
    public double? Flops16 { get; init; }

    /// <summary>FLOP/s in 8-bit floats.</summary>
    public double? Flops8 { get; init; }

    /// <summary>FLOP/s in 4-bit floats.</summary>
    public double? Flops4 { get; init; }

    /// <summary>Operations per second in 8-bit integers.</summary>
    public double? Ops8 { get; init; }

    /// <summary>Bytes per second in one direction to its neighbours in the machine; null where they can only talk over the host.</summary>
    public double? LinkBandwidth { get; init; }
}

/// <summary>One machine as it is rented, and what joins several.</summary>
/// <param name="Accelerator">All of its accelerators are alike.</param>
/// <param name="Count">Per machine, 1 or more.</param>
/// <param name="MostMachines">How many may be joined by pipeline parallelism, 1 or more.</param>
/// <param name="NetworkBandwidth">Bytes per second between two machines, one direction.</param>
public sealed record ServingMachine(ServingAccelerator Accelerator, int Count, int MostMachines = 1, double NetworkBandwidth = 3e9);
