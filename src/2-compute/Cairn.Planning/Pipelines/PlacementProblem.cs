using Cairn.Planning.Costs;
using Cairn.Planning.Offers;
using Cairn.Planning.Ranking;

namespace Cairn.Planning.Pipelines;

/// <summary>
/// Where each step may be and what that costs alone and together. Only the cheapest candidate of a place matters: what data costs between steps
/// depends on nothing but their places. Every option of a step is such a candidate.
/// </summary>
internal sealed class PlacementProblem(StepOptions[] steps, PlacementEdge[] edges)
{
    public StepOptions[] Steps { get; } = steps;

    public PlacementEdge[] Edges { get; } = edges;

    public long Cost(int[] chosen)
    {
        var total = 0L;
        for (var s = 0; s < Steps.Length; s++)
            total += Steps[s].Own[chosen[s]];
        foreach (var edge in Edges)
            total += EdgeCost(edge, chosen[edge.From], chosen[edge.To]);
        return total;
    }

    public long EdgeCost(PlacementEdge edge, int from, int to)
    {
        var (a, b) = (Steps[edge.From], Steps[edge.To]);
        if (a.Region[from] == b.Region[to])
            return 0;
        return a.Provider[from] == b.Provider[to] ? edge.CrossRegion[from] : edge.Internet[from];
    }

    /// <summary>The same problem with only the options that <paramref name="keep"/> names.</summary>
    public PlacementProblem Restrict(int[][] keep) => new(
        [.. Steps.Select((s, i) => s.Restrict(keep[i]))],
        [.. Edges.Select(e => e with { CrossRegion = Pick(e.CrossRegion, keep[e.From]), Internet = Pick(e.Internet, keep[e.From]) })]);

    public static T[] Pick<T>(T[] values, int[] indices) => Array.ConvertAll(indices, i => values[i]);
}

/// <summary>The options of one step, as columns.</summary>
/// <param name="Candidates">The best candidate of each place.</param>
/// <param name="Own">Its whole bill alone, in micro-dollars.</param>
internal sealed record StepOptions(Ranked[] Candidates, long[] Own, int[] Provider, int[] Region, int[] Place)
{
    public int Count => Own.Length;

    public static StepOptions Of(Ranked[] candidates, SnapshotColumns columns)
    {
        var place = Array.ConvertAll(candidates, c => columns.PlaceOf[c.Row]);
        return new StepOptions(
            candidates,
            Array.ConvertAll(candidates, c => c.Total),
            Array.ConvertAll(place, p => columns.Places[p].ProviderKey),
            Array.ConvertAll(place, p => columns.Places[p].RegionKey),
            place);
    }

    public StepOptions Restrict(int[] keep) => new(
        PlacementProblem.Pick(Candidates, keep), PlacementProblem.Pick(Own, keep), PlacementProblem.Pick(Provider, keep),
        PlacementProblem.Pick(Region, keep), PlacementProblem.Pick(Place, keep));
}

/// <summary>What the data between two steps costs, by option of the step that writes it; within a region it costs nothing.</summary>
internal sealed record PlacementEdge(int From, int To, long[] CrossRegion, long[] Internet)
{
    /// <summary>Each handover is priced from the month's volume so far, as if it were the next to leave.</summary>
    public static PlacementEdge Of(int from, int to, long bytes, StepOptions options, SnapshotColumns columns, PlanningContext context) => new(
        from, to,
        Array.ConvertAll(options.Place, p => Amounts.OfBytes(bytes, columns.Places[p].Egress.CrossRegionPerGigabyte.Micros)),
        Array.ConvertAll(options.Place, p => EgressLadder.Cost(
            columns.Places[p].Egress.Internet, DataFlows.Volume(context, columns.Places[p].Provider), bytes)));
}
