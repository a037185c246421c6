using Cairn.Contracts.Offers;
using Cairn.Contracts.Units;

namespace Cairn.Contracts.Workloads;

/// <summary>What one node of the workload needs.</summary>
public sealed record ResourceSpec
{
    /// <summary>Null where any machine will do.</summary>
    public AcceleratorSpec? Accelerators { get; init; }

    /// <summary>Virtual CPUs per node. The minimum may be fractional for packing.</summary>
    public Range<double> Cpus { get; init; }

    /// <summary>Memory per node in bytes.</summary>
    public Range<long> MemoryBytes { get; init; }

    /// <summary>Scratch disk per node in bytes; 0 asks for none.</summary>
    public long DiskBytes { get; init; }

    /// <summary>The slowest acceptable network between the nodes of a gang.</summary>
    public InterconnectKind Interconnect { get; init; } = InterconnectKind.None;

    /// <summary>Node labels that must be present with these values.</summary>
    public IReadOnlyDictionary<string, string> NodeLabels { get; init; } = new SortedDictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Never two tasks of the gang on one node.</summary>
    public bool Spread { get; init; }

    /// <summary>
    /// Set in an alternative only: where this one may run, as patterns of <see cref="RegionPattern"/>, in place of
    /// <see cref="WhereSpec.Regions"/>; empty leaves the workload's.
    /// </summary>
    public IReadOnlyList<string> Regions { get; init; } = [];

    /// <summary>Set in an alternative only: in place of <see cref="WhereSpec.Interruptible"/>; null leaves the workload's.</summary>
    public bool? Interruptible { get; init; }

    /// <summary>Set in an alternative only: in place of <see cref="MoneySpec.MaxPricePerHour"/>; null leaves the workload's.</summary>
    public HourlyPrice? MaxPricePerHour { get; init; }

    /// <summary>
    /// Alternatives of which the cheapest that can be had is taken. Each is complete: parsing has merged the outer fields in, so that these
    /// decide alone where there are any. No alternative has alternatives of its own, and never both lists are filled.
    /// </summary>
    public IReadOnlyList<ResourceSpec> AnyOf { get; init; } = [];

    /// <summary>Alternatives in order of wish: a later one is taken only where no earlier one can be had.</summary>
    public IReadOnlyList<ResourceSpec> Ordered { get; init; } = [];
}

/// <summary>Accelerators by name, by memory or by vendor. Every part that is given must hold.</summary>
public sealed record AcceleratorSpec
{
    /// <summary>
    /// Names as <see cref="AcceleratorName.Canonical"/> writes them, any of which will do; they match by
    /// <see cref="AcceleratorName.Matches"/>, so <c>H100</c> covers every H100 form factor. Empty means any.
    /// </summary>
    public IReadOnlyList<string> Names { get; init; } = [];

    /// <summary>Lower case: <c>nvidia</c>, <c>amd</c>, <c>intel</c>, <c>google</c>, <c>aws</c>; null means any.</summary>
    public string? Vendor { get; init; }

    /// <summary>
    /// Memory of one accelerator in bytes. Parsing has widened an upper end of N GB to N GiB, so that a card sold as N GB is within.
    /// </summary>
    public Range<long> MemoryBytes { get; init; }

    /// <summary>Accelerators per node. A fraction below 1 asks for a share of one accelerator.</summary>
    public Range<double> Count { get; init; } = new(1, 1);
}
