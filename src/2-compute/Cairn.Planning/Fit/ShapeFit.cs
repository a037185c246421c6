using Cairn.Contracts.Offers;
using Cairn.Contracts.Workloads;
using Cairn.Planning.Costs;
using Cairn.Planning.Offers;

namespace Cairn.Planning.Fit;

/// <summary>
/// How one node of a workload fits on machines of one size. A node takes one machine; of a divisible one it takes the fewest accelerators whose
/// share of the machine holds all that is asked, and elsewhere it pays for the whole machine. The upper ends of counts bound what is used, not
/// what the machine has.
/// </summary>
internal readonly struct ShapeFit
{
    public ReasonBits Unmet { get; private init; }

    /// <summary>Parts of the machine rented per node, of <see cref="Shape.Parts"/>. The whole machine where it does not fit.</summary>
    public int Rented { get; private init; }

    /// <summary>Nodes that one machine holds.</summary>
    public int NodesPerMachine { get; private init; }

    public double AcceleratorsUsed { get; private init; }

    /// <summary>Scratch disk beyond what the rent includes, in whole decimal gigabytes.</summary>
    public long ExtraDiskGigabytes { get; private init; }

    public static ShapeFit Of(ResourceSpec need, Shape shape)
    {
        var (unmet, accelerators) = OfAccelerators(need.Accelerators, shape.Accelerators);
        if (shape.Cpus < (need.Cpus.Min ?? 0))
            unmet |= ReasonBits.Cpus;
        if (shape.MemoryBytes < (need.MemoryBytes.Min ?? 0))
            unmet |= ReasonBits.Memory;
        var parts = shape.Parts;
        var rented = unmet == ReasonBits.None ? Fewest(need, shape, accelerators) : parts;
        var disk = Share(shape.DiskBytes, rented, parts);
        return new ShapeFit
        {
            Unmet = unmet,
            Rented = rented,
            NodesPerMachine = need.Spread ? 1 : Math.Max(1, parts / rented),
            AcceleratorsUsed = Used(need.Accelerators, shape, rented),
            ExtraDiskGigabytes = need.DiskBytes > disk ? Amounts.WholeGigabytes(need.DiskBytes - disk) : 0,
        };
    }

    private static (ReasonBits Unmet, int Count) OfAccelerators(AcceleratorSpec? need, OfferAccelerators? has)
    {
        if (need is null)
            return (ReasonBits.None, 0);
        if (has is null)
            return (ReasonBits.Accelerator, 0);
        var unmet = ReasonBits.None;
        if (!NameFits(need, has))
            unmet |= ReasonBits.Accelerator;
        if (!need.MemoryBytes.Contains(has.MemoryBytes))
            unmet |= ReasonBits.AcceleratorMemory;
        var count = LeastCount(need);
        if (count > has.Count)
            unmet |= ReasonBits.AcceleratorCount;
        return (unmet, (int)Math.Min(count, int.MaxValue));
    }

    public static bool NameFits(AcceleratorSpec need, OfferAccelerators has)
    {
        if (need.Vendor is { } vendor && !vendor.Equals(has.Vendor, StringComparison.OrdinalIgnoreCase))
            return false;
        if (need.Names.Count == 0)
            return true;
        foreach (var name in need.Names)
        {
            if (AcceleratorName.Matches(name, has.Name))
                return true;
        }

        return false;
    }

    /// <summary>Whole accelerators that must be rented: a share of one takes one.</summary>
    public static long LeastCount(AcceleratorSpec need) => (long)Math.Ceiling(Math.Clamp(need.Count.Min ?? Math.Min(1, need.Count.Max ?? 1), 0, 1e9));

    private static double Used(AcceleratorSpec? need, Shape shape, int rented)
    {
        if (need is null || shape.Accelerators is not { } has)
            return 0;
        var there = shape.Parts > 1 ? rented : has.Count;
        return Math.Min(there, need.Count.Max ?? there);
    }

    private static int Fewest(ResourceSpec need, Shape shape, int accelerators)
    {
        var parts = shape.Parts;
        if (parts == 1)
            return 1;
        var rented = Math.Max(1, accelerators);
        while (rented < parts && (shape.Cpus * rented / parts < (need.Cpus.Min ?? 0)
            || Share(shape.MemoryBytes, rented, parts) < (need.MemoryBytes.Min ?? 0)))
            rented++;
        return rented;
    }

    private static long Share(long bytes, int rented, int parts) => rented == parts ? bytes : (long)((Int128)bytes * rented / parts);
}
