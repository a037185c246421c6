namespace Cairn.Planning.Pipelines;

/// <summary>
/// For every option of the step at one end of an edge, the least that the other end and the edge cost together, and the option there that
/// achieves it. An edge knows only three distances, so the best of a region, of the rest of its provider and of all other providers answer every
/// option in one pass over each end, where comparing all pairs would take their product.
/// </summary>
internal static class EdgeMessage
{
    /// <param name="toReader">Whether the answer is for the options of the step that reads, from values of the step that writes; else the
    /// reverse.</param>
    /// <param name="values">What each option of the far end costs with all that hangs on it.</param>
    public static (long[] Least, int[] Option) Of(PlacementProblem problem, PlacementEdge edge, bool toReader, long[] values)
    {
        var far = problem.Steps[toReader ? edge.From : edge.To];
        var near = problem.Steps[toReader ? edge.To : edge.From];
        var regions = new Dictionary<int, Best>(far.Count);
        var providers = new Dictionary<int, BestTwo>();
        var all = new BestTwo();
        for (var o = 0; o < far.Count; o++)
        {
            var region = regions.TryGetValue(far.Region[o], out var r) ? r : Best.None;
            regions[far.Region[o]] = region.With(values[o], o);
            var provider = providers.TryGetValue(far.Provider[o], out var p) ? p : new BestTwo();
            providers[far.Provider[o]] = provider.With(values[o] + (toReader ? edge.CrossRegion[o] : 0), o, far.Region[o]);
            all = all.With(values[o] + (toReader ? edge.Internet[o] : 0), o, far.Provider[o]);
        }

        var least = new long[near.Count];
        var option = new int[near.Count];
        for (var o = 0; o < near.Count; o++)
        {
            var best = all.Outside(near.Provider[o]).Plus(toReader ? 0 : edge.Internet[o]);
            if (providers.TryGetValue(near.Provider[o], out var provider))
                best = best.Or(provider.Outside(near.Region[o]).Plus(toReader ? 0 : edge.CrossRegion[o]));
            if (regions.TryGetValue(near.Region[o], out var region))
                best = best.Or(region);
            (least[o], option[o]) = (best.Value, best.Option);
        }

        return (least, option);
    }

    private readonly record struct Best(long Value, int Option)
    {
        public static readonly Best None = new(long.MaxValue, -1);

        public Best With(long value, int option) => value < Value ? new Best(value, option) : this;

        public Best Or(Best other) => other.Value < Value ? other : this;

        public Best Plus(long cost) => Option < 0 ? this : new Best(Value + cost, Option);
    }

    /// <summary>The best, and the best of another group than the best's: whichever group is left out, one of them is the best of the rest.</summary>
    private readonly record struct BestTwo()
    {
        private Best First { get; init; } = Best.None;

        private Best Second { get; init; } = Best.None;

        private int FirstGroup { get; init; } = -1;

        public BestTwo With(long value, int option, int group)
        {
            if (group == FirstGroup || First.Option < 0)
                return this with { First = First.With(value, option), FirstGroup = group };
            if (value < First.Value)
                return new BestTwo { First = new Best(value, option), FirstGroup = group, Second = First };
            return this with { Second = Second.With(value, option) };
        }

        public Best Outside(int group) => group == FirstGroup ? Second : First;
    }
}
