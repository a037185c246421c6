using Cairn.Contracts.Workloads;
using Cairn.Planning.Offers;

namespace Cairn.Planning.Fit;

/// <summary>One alternative of resources, asked of every machine size and, where it has needs of its own, of every place and standing.</summary>
internal sealed class Choice
{
    private Choice(ResourceSpec resources, WorkloadSpec workload, SnapshotColumns columns)
    {
        Resources = resources;
        Interruptible = resources.Interruptible ?? workload.Where.Interruptible;
        MaxNodePrice = (resources.MaxPricePerHour ?? workload.Money.MaxPricePerHour)?.MicrosPerHour ?? long.MaxValue;
        Regions = resources.Regions.Count > 0 ? resources.Regions : workload.Where.Regions;
        Shapes = Array.ConvertAll(columns.Shapes, s => ShapeFit.Of(resources, s));
        InRegions = Regions.Count == 0 ? null : Array.ConvertAll(columns.Places, p => PlaceNeeds.InRegions(Regions, p));
        Standings = (workload.Nodes > 1 && resources.Interconnect > 0) || resources.NodeLabels.Count > 0
            || (!Interruptible && Array.Exists(columns.Standings, s => s.Preemptible))
            ? Array.ConvertAll(columns.Standings, s => PlaceNeeds.Unmet(resources, workload.Nodes, s)
                | (s.Preemptible && !Interruptible ? ReasonBits.Preemptible : ReasonBits.None))
            : null;
    }

    public ResourceSpec Resources { get; }

    public bool Interruptible { get; }

    /// <summary>Micro-dollars per hour of one node; the greatest number where none is asked.</summary>
    public long MaxNodePrice { get; }

    public IReadOnlyList<string> Regions { get; }

    /// <summary>By number of the shape.</summary>
    public ShapeFit[] Shapes { get; }

    /// <summary>By number of the place; null where every region will do.</summary>
    public bool[]? InRegions { get; }

    /// <summary>By number of the standing; null where nothing is asked of it.</summary>
    public ReasonBits[]? Standings { get; }

    /// <summary>The choices of a workload in tiers: a later tier counts only where no earlier one can be had.</summary>
    public static Choice[][] Tiers(WorkloadSpec workload, SnapshotColumns columns)
    {
        var resources = workload.Resources;
        if (resources.Ordered.Count > 0)
            return [.. resources.Ordered.Select(r => new[] { new Choice(r, workload, columns) })];
        if (resources.AnyOf.Count > 0)
            return [[.. resources.AnyOf.Select(r => new Choice(r, workload, columns))]];
        return [[new Choice(resources, workload, columns)]];
    }
}
