namespace Cairn.Planning.Pipelines;

/// <summary>
/// The exact cheapest placement where the edges form a forest: dynamic programming from the leaves to the root of each tree, whichever way the
/// data flows along an edge. Over a forest of some of a graph's edges, its costs are lower bounds for the graph, since an edge never costs less
/// than nothing.
/// </summary>
internal sealed class TreePlacement
{
    private readonly PlacementProblem _problem;
    private readonly List<(int Step, PlacementEdge? ToParent)> _order = [];
    private readonly List<PlacementEdge>[] _edgesOf;
    private readonly long[][] _upLeast;
    private readonly int[][] _upOption;

    /// <summary>The sum of everything that hangs on an option of a step, itself included.</summary>
    private readonly long[][] _subtree;

    private TreePlacement(PlacementProblem problem, IEnumerable<PlacementEdge> forest)
    {
        _problem = problem;
        _edgesOf = [.. problem.Steps.Select(_ => new List<PlacementEdge>())];
        foreach (var edge in forest)
        {
            _edgesOf[edge.From].Add(edge);
            _edgesOf[edge.To].Add(edge);
        }

        _upLeast = new long[problem.Steps.Length][];
        _upOption = new int[problem.Steps.Length][];
        _subtree = [.. problem.Steps.Select(s => (long[])s.Own.Clone())];
        Walk();
        SendUp();
    }

    public static TreePlacement Solve(PlacementProblem problem, IEnumerable<PlacementEdge> forest) => new(problem, forest);

    /// <summary>Edges that join two parts not yet joined, taken in the order given. All of them exactly where the graph is a forest.</summary>
    public static List<PlacementEdge> SpanningForest(int steps, IEnumerable<PlacementEdge> edges)
    {
        var root = Enumerable.Range(0, steps).ToArray();
        var forest = new List<PlacementEdge>();
        foreach (var edge in edges)
        {
            var (a, b) = (Find(edge.From), Find(edge.To));
            if (a == b)
                continue;
            root[a] = b;
            forest.Add(edge);
        }

        return forest;

        int Find(int step)
        {
            while (root[step] != step)
                step = root[step] = root[root[step]];
            return step;
        }
    }

    /// <summary>The option of each step.</summary>
    public int[] Best()
    {
        var chosen = new int[_problem.Steps.Length];
        foreach (var (step, toParent) in _order)
        {
            if (toParent is null)
                chosen[step] = ArgMin(_subtree[step]);
            else
                chosen[step] = _upOption[step][chosen[Other(toParent, step)]];
        }

        return chosen;
    }

    /// <summary>For every option of every step, the least cost of the whole forest with the step there.</summary>
    public long[][] Marginals()
    {
        var marginals = new long[_problem.Steps.Length][];
        var roots = _order.Where(o => o.ToParent is null).Select(o => o.Step).ToArray();
        var otherTrees = roots.Sum(r => _subtree[r].Min());
        var treeLeast = 0L;
        foreach (var (step, toParent) in _order)
        {
            if (toParent is null)
            {
                treeLeast = _subtree[step].Min();
                marginals[step] = Array.ConvertAll(_subtree[step], c => c + otherTrees - treeLeast);
                continue;
            }

            var parent = Other(toParent, step);
            var without = new long[marginals[parent].Length];
            for (var o = 0; o < without.Length; o++)
                without[o] = marginals[parent][o] - _upLeast[step][o];
            var (down, _) = EdgeMessage.Of(_problem, toParent, toParent.To == step, without);
            marginals[step] = new long[_subtree[step].Length];
            for (var o = 0; o < down.Length; o++)
                marginals[step][o] = _subtree[step][o] + down[o];
        }

        return marginals;
    }

    private void Walk()
    {
        var seen = new bool[_problem.Steps.Length];
        var queue = new Queue<int>();
        for (var root = 0; root < seen.Length; root++)
        {
            if (seen[root])
                continue;
            seen[root] = true;
            _order.Add((root, null));
            queue.Enqueue(root);
            while (queue.TryDequeue(out var step))
            {
                foreach (var edge in _edgesOf[step])
                {
                    var next = Other(edge, step);
                    if (seen[next])
                        continue;
                    seen[next] = true;
                    _order.Add((next, edge));
                    queue.Enqueue(next);
                }
            }
        }
    }

    private void SendUp()
    {
        for (var i = _order.Count - 1; i >= 0; i--)
        {
            var (step, toParent) = _order[i];
            if (toParent is null)
                continue;
            var parent = Other(toParent, step);
            (_upLeast[step], _upOption[step]) = EdgeMessage.Of(_problem, toParent, toParent.To == parent, _subtree[step]);
            for (var o = 0; o < _subtree[parent].Length; o++)
                _subtree[parent][o] += _upLeast[step][o];
        }
    }

    private static int Other(PlacementEdge edge, int step) => edge.From == step ? edge.To : edge.From;

    private static int ArgMin(long[] values)
    {
        var best = 0;
        for (var i = 1; i < values.Length; i++)
        {
            if (values[i] < values[best])
                best = i;
        }

        return best;
    }
}
