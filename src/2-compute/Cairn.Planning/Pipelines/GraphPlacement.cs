namespace Cairn.Planning.Pipelines;

/// <summary>
/// The exact cheapest placement of any DAG.
/// <list type="number">
/// <item>A forest is solved by <see cref="TreePlacement"/> alone.</item>
/// <item>Else spanning forests give placements, which local steps improve: the best is an upper bound.</item>
/// <item>And for every option a lower bound of any placement with it: options above the upper bound go.</item>
/// <item>What is left, usually a handful, is solved by <see cref="SolverPlacement"/>, unless the bounds have met.</item>
/// </list>
/// </summary>
internal static class GraphPlacement
{
    private const int Forests = 4;

    /// <returns>The option of each step.</returns>
    public static int[] Solve(PlacementProblem problem)
    {
        // 1.
        var forest = TreePlacement.SpanningForest(problem.Steps.Length, problem.Edges);
        if (forest.Count == problem.Edges.Length)
            return TreePlacement.Solve(problem, forest).Best();

        var keep = Array.ConvertAll(problem.Steps, s => Enumerable.Range(0, s.Count).ToArray());
        int[]? best = null;
        var left = problem;
        var lower = 0L;
        for (var i = 0; i < Forests; i++)
        {
            // 2. Each forest leaves out other edges: the order of edges is turned, the dearest first.
            var edges = left.Edges.OrderByDescending(e => e.Internet.Min()).ToList();
            var turned = edges.Skip(i * edges.Count / Forests).Concat(edges.Take(i * edges.Count / Forests));
            var tree = TreePlacement.Solve(left, TreePlacement.SpanningForest(left.Steps.Length, turned));
            var found = Improve(left, tree.Best());
            if (best is null || left.Cost(found) < problem.Cost(best))
                best = [.. found.Select((o, s) => keep[s][o])];

            // 3.
            var upper = problem.Cost(best);
            var marginals = tree.Marginals();
            lower = Math.Max(lower, marginals[0].Min());
            if (lower >= upper)
                return best;
            var kept = marginals.Select(m => Indices(m, upper)).ToArray();
            keep = [.. keep.Select((k, s) => PlacementProblem.Pick(k, kept[s]))];
            left = problem.Restrict(keep);
        }

        // 4.
        if (left.Steps.All(s => s.Count == 1))
            return best!;
        var hint = best!.Select((o, s) => Array.IndexOf(keep[s], o)).ToArray();
        var solved = SolverPlacement.Solve(left, hint);
        return [.. solved.Select((o, s) => keep[s][o])];
    }

    /// <summary>Moves one step at a time to where it is cheapest among the others, until none moves.</summary>
    private static int[] Improve(PlacementProblem problem, int[] chosen)
    {
        var cost = problem.Cost(chosen);
        for (var moved = true; moved;)
        {
            moved = false;
            for (var s = 0; s < chosen.Length; s++)
            {
                var (option, saved) = BestMove(problem, chosen, s);
                if (saved <= 0)
                    continue;
                chosen[s] = option;
                cost -= saved;
                moved = true;
            }
        }

        return chosen;
    }

    private static (int Option, long Saved) BestMove(PlacementProblem problem, int[] chosen, int step)
    {
        var edges = problem.Edges.Where(e => e.From == step || e.To == step).ToArray();
        var here = Local(chosen[step]);
        var (best, least) = (chosen[step], here);
        for (var o = 0; o < problem.Steps[step].Count; o++)
        {
            var cost = Local(o);
            if (cost < least)
                (best, least) = (o, cost);
        }

        return (best, here - least);

        long Local(int option)
        {
            var cost = problem.Steps[step].Own[option];
            foreach (var e in edges)
                cost += e.From == step ? problem.EdgeCost(e, option, chosen[e.To]) : problem.EdgeCost(e, chosen[e.From], option);
            return cost;
        }
    }

    private static int[] Indices(long[] marginals, long upper)
    {
        var kept = new List<int>();
        for (var o = 0; o < marginals.Length; o++)
        {
            if (marginals[o] <= upper)
                kept.Add(o);
        }

        return [.. kept];
    }
}
