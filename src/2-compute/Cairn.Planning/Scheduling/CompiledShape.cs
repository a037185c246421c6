namespace Cairn.Planning.Scheduling;

/// <summary>A cell that a shape accepts.</summary>
/// <param name="Choice">Which choice of the shape accepts it.</param>
/// <param name="Kinds">The device kinds that will do, as in <see cref="DeviceLayout.KindsFor"/>; empty for a need without accelerators.</param>
internal readonly record struct Place(Cell Cell, CompiledNeed Need, int Choice, ulong[] Kinds);

/// <summary>A need with its derived figures.</summary>
internal sealed class CompiledNeed(TaskNeed need, LabelSet labels)
{
    public TaskNeed Need { get; } = need;

    public LabelSet Labels { get; } = labels;

    /// <summary>Whole devices of one task; 0 for a share and for none.</summary>
    public int Devices { get; } = need.AcceleratorMilli / TaskNeed.WholeAccelerator;

    /// <summary>Thousandths of one device; 0 for whole devices and for none.</summary>
    public int Share { get; } = need.AcceleratorMilli % TaskNeed.WholeAccelerator;

    /// <summary>Rows below this cannot hold a task, nodes with a partly free device aside.</summary>
    public int LowestRow => Share > 0 ? 1 : Devices;

    public int Level { get; } = Cell.LevelOf(need.CpuMillis);
}

/// <summary>Cells within which one gang may be placed: those of one choice, and of one domain where the shape asks for that.</summary>
internal sealed class PlaceGroup(int choice, string? domain)
{
    /// <summary>As many as there are choices for the group of all classes mixed.</summary>
    public int Choice { get; } = choice;

    public string? Domain { get; } = domain;

    public List<Place> Places { get; } = [];

    /// <summary>The choice in order, then for equal choices the cell; places of a mixed group stay cheapest first.</summary>
    public void Add(in Place place)
    {
        var at = Places.Count;
        while (at > 0 && Places[at - 1].Choice > place.Choice)
            at--;
        Places.Insert(at, place);
    }
}

/// <summary>A shape resolved against the classes and cells that exist; it grows as cells appear.</summary>
internal sealed class CompiledShape
{
    private readonly CompiledNeed[] _needs;
    private readonly NodeClass[] _classes;
    private readonly HashSet<Cell> _mixed = [];

    public CompiledShape(PlacementShape shape, NodeClass[] classes, CompiledNeed[] needs)
    {
        (Shape, _classes, _needs) = (shape, classes, needs);
        for (var i = 0; i < classes.Length; i++)
        {
            if (classes[i].Shapes is not [.., var last] || !ReferenceEquals(last, this))
                classes[i].Shapes.Add(this);
            foreach (var cell in classes[i].Cells)
                Accept(cell, i);
        }
    }

    public PlacementShape Shape { get; }

    public ReadOnlySpan<NodeClass> Classes => _classes;

    /// <summary>For each choice in order, and last for all mixed, the groups in which a gang may be placed.</summary>
    public List<List<PlaceGroup>> Steps { get; } = [];

    public List<Line> Lines { get; } = [];

    public bool OneDomain => Shape.SameDomain && Shape.Tasks > 1;

    public CompiledNeed NeedOf(int choice) => _needs[choice];

    /// <summary>Takes a cell that appeared in an accepted class into every group that it belongs to.</summary>
    public void Accept(Cell cell)
    {
        for (var i = 0; i < _classes.Length; i++)
        {
            if (ReferenceEquals(_classes[i], cell.Class))
                Accept(cell, i);
        }
    }

    private void Accept(Cell cell, int choice)
    {
        if (OneDomain && cell.Domain.Length == 0)
            return;
        var need = _needs[choice];
        var kinds = need.Need.AcceleratorMilli == 0 ? [] : cell.Layout.KindsFor(need.Need);
        if (need.Need.AcceleratorMilli > 0 && kinds.Length == 0)
            return;
        var place = new Place(cell, need, choice, kinds);
        GroupOf(choice, cell).Add(place);
        if (Shape.MixClasses && Shape.Tasks > 1 && _mixed.Add(cell))
            GroupOf(_classes.Length, cell).Add(place);
    }

    private PlaceGroup GroupOf(int step, Cell cell)
    {
        while (Steps.Count <= step)
            Steps.Add([]);
        var domain = OneDomain ? cell.Domain : null;
        foreach (var group in Steps[step])
        {
            if (string.Equals(group.Domain, domain, StringComparison.Ordinal))
                return group;
        }

        var added = new PlaceGroup(step, domain);
        Steps[step].Add(added);
        return added;
    }
}
