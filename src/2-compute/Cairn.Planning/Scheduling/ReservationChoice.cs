namespace Cairn.Planning.Scheduling;

/// <summary>Chooses the nodes that will hold a gang the soonest: those of which the least has to drain.</summary>
internal sealed class ReservationChoice(GrantTable grants)
{
    private readonly List<KeptNode> _keepable = [];
    private readonly List<PlaceGroup> _groups = [];
    private readonly List<long> _scores = [];
    private readonly HashSet<Node> _survivors = [];

    /// <summary>What the last <see cref="Choose"/> that returned true chose.</summary>
    public List<KeptNode> Chosen { get; } = [];

    /// <summary>Thousandths that have to drain over all chosen nodes.</summary>
    public long Missing { get; private set; }

    /// <returns>False where no group of cells without another reservation could hold the gang even when empty.</returns>
    public bool Choose(Line line, HashSet<Node> givenUp)
    {
        var domain = FindSurvivors(line);
        RankGroups(line);
        while (_groups.Count > 0)
        {
            var best = 0;
            for (var i = 1; i < _groups.Count; i++)
            {
                if (_scores[i] < _scores[best])
                    best = i;
            }

            if (ChooseIn(_groups[best], line, givenUp, domain))
                return true;
            _groups.RemoveAt(best);
            _scores.RemoveAt(best);
        }

        return false;
    }

    private string? FindSurvivors(Line line)
    {
        _survivors.Clear();
        string? domain = null;
        if (line.Joins is not { } key)
            return null;
        for (var slot = grants.FirstOf(key); slot >= 0; slot = grants[slot].NextInGang)
        {
            domain = line.Shape.Shape.SameDomain ? grants[slot].Node.Cell.Domain : null;
            if (line.Shape.Shape.Spread)
                _survivors.Add(grants[slot].Node);
        }

        return domain;
    }

    private void RankGroups(Line line)
    {
        _groups.Clear();
        _scores.Clear();
        foreach (var step in line.Shape.Steps)
        {
            foreach (var group in step)
            {
                var score = Score(group, line.Shape.Shape);
                if (score == long.MaxValue)
                    continue;
                _groups.Add(group);
                _scores.Add(score);
            }
        }
    }

    /// <summary>
    /// Devices that have to drain, by the counts of the index alone; the largest number where there are too few nodes or one is kept
    /// for others.
    /// </summary>
    private static long Score(PlaceGroup group, PlacementShape shape)
    {
        var (left, missing) = ((long)shape.Tasks, 0L);
        foreach (var place in group.Places)
        {
            if (place.Cell.Class.Reservation is not null)
                return long.MaxValue;
        }

        for (var row = NodeShape.MaxDevices; row >= 0 && left > 0; row--)
        {
            foreach (var place in group.Places)
            {
                if (row > place.Cell.Layout.Count || left <= 0)
                    continue;
                if (place.Need.LowestRow == 0)
                    return 0;
                var perNode = Math.Min(left, shape.Spread ? 1 : HoldSize.TasksOn(place.Need, place.Cell.Layout.Count));
                var nodes = Math.Min(place.Cell.CountOf(row), (left + perNode - 1) / perNode);
                missing += nodes * Math.Max(0, HoldSize.DevicesFor(place.Need, perNode) - row);
                left -= nodes * perNode;
            }
        }

        return left > 0 ? long.MaxValue : missing;
    }

    private bool ChooseIn(PlaceGroup group, Line line, HashSet<Node> givenUp, string? domain)
    {
        _keepable.Clear();
        foreach (var place in group.Places)
        {
            if (domain is not null && !place.Cell.Domain.Equals(domain, StringComparison.Ordinal))
                continue;
            foreach (var node in place.Cell.Nodes)
            {
                if (node.Schedulable && node.Reservation is null && node.Labels.Contains(place.Need.Labels)
                    && !givenUp.Contains(node) && !_survivors.Contains(node))
                    Consider(node, place, line.Shape.Shape);
            }
        }

        _keepable.Sort();
        return Fill(line.Shape.Shape.Tasks, group);
    }

    private bool Fill(int tasks, PlaceGroup group)
    {
        Chosen.Clear();
        Missing = 0;
        foreach (var keepable in _keepable)
        {
            if (tasks <= 0)
                break;
            var kept = keepable.Tasks <= tasks ? keepable : Trim(keepable, tasks, group);
            Chosen.Add(kept);
            Missing += kept.Missing;
            tasks -= kept.Tasks;
        }

        return tasks <= 0;
    }

    private static KeptNode Trim(in KeptNode kept, int tasks, PlaceGroup group)
    {
        foreach (var place in group.Places)
        {
            if (place.Choice == kept.Choice && ReferenceEquals(place.Cell, kept.Node.Cell))
                return HoldSize.On(kept.Node, place, tasks);
        }

        return kept;
    }

    private void Consider(Node node, in Place place, PlacementShape shape)
    {
        var tasks = Math.Min(shape.Spread ? 1 : shape.Tasks, HoldSize.TasksWhenEmpty(node, place));
        if (tasks > 0)
            _keepable.Add(HoldSize.On(node, place, tasks));
    }
}
