namespace Cairn.Planning.Scheduling;

/// <summary>A cell that a shape accepts.</summary>
/// <param name="Choice">Which choice of the shape accepts it.</param>
/// <param name="Kinds">
/// The device kinds that will do, as in <see cref="DeviceLayout.KindsFor"/>; empty for a need without accelerators.
/// </param>
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

    /// <summary>In the order of their choices, the cheapest first.</summary>
    public List<Place> Places { get; } = new(1);
}

/// <summary>
/// A shape resolved against the classes and cells that exist. The resolved part is made when it is first used, may be forgotten at any
/// time, and is made again: a queue of many different shapes would otherwise fill the memory with it.
/// </summary>
internal sealed class CompiledShape
{
    private readonly CompiledNeed[] _needs;
    private readonly NodeClass[] _classes;
    private readonly int _lowestRow = int.MaxValue;
    private readonly bool _sharesDevices;
    private List<List<PlaceGroup>>? _steps;

    public CompiledShape(PlacementShape shape, NodeClass[] classes, CompiledNeed[] needs)
    {
        (Shape, _classes, _needs) = (shape, classes, needs);
        for (var i = 0; i < classes.Length; i++)
        {
            if (classes[i].Shapes is not [.., var last] || !ReferenceEquals(last, this))
                classes[i].Shapes.Add(this);
            _lowestRow = Math.Min(_lowestRow, needs[i].LowestRow);
            _sharesDevices |= needs[i].Share > 0;
        }
    }

    public PlacementShape Shape { get; }

    public ReadOnlySpan<NodeClass> Classes => _classes;

    /// <summary>For each choice in order, and last for all mixed, the groups in which a gang may be placed.</summary>
    public List<List<PlaceGroup>> Steps => _steps ??= Resolve();

    public bool IsResolved => _steps is not null;

    public List<Line> Lines { get; } = [];

    public bool OneDomain => Shape.SameDomain && Shape.Tasks > 1;

    public CompiledNeed NeedOf(int choice) => _needs[choice];

    /// <summary>Forgets what <see cref="Steps"/> holds: a cell appeared, or memory is short.</summary>
    public void Forget() => _steps = null;

    /// <summary>
    /// False where what is free in the cell is too little for any task. True for a class with a reservation: what is kept there may be
    /// taken by its owner and by higher priorities, and the rows do not show it.
    /// </summary>
    public bool MayUse(Cell cell) =>
        cell.Class.Reservation is not null || cell.Rows >> Math.Min(_lowestRow, 63) != 0 || (_sharesDevices && cell.Shares != 0);

    /// <summary>False where no cell of an accepted class can have room: answers most refusals without resolving the shape.</summary>
    public bool MayFit
    {
        get
        {
            foreach (var nodeClass in _classes)
            {
                foreach (var cell in nodeClass.Cells)
                {
                    if (MayUse(cell))
                        return true;
                }
            }

            return false;
        }
    }

    private List<List<PlaceGroup>> Resolve()
    {
        var steps = new List<List<PlaceGroup>>(_classes.Length);
        var mixed = Shape.MixClasses && Shape.Tasks > 1 ? new HashSet<Cell>() : null;
        var all = new List<PlaceGroup>();
        for (var i = 0; i < _classes.Length; i++)
        {
            var step = new List<PlaceGroup>(1);
            steps.Add(step);
            foreach (var cell in _classes[i].Cells)
            {
                if (!Accepts(cell, i, out var place))
                    continue;
                GroupOf(step, i, cell).Places.Add(place);
                if (mixed is not null && mixed.Add(cell))
                    GroupOf(all, _classes.Length, cell).Places.Add(place);
            }
        }

        steps.Add(all);
        return steps;
    }

    private bool Accepts(Cell cell, int choice, out Place place)
    {
        var need = _needs[choice];
        var kinds = need.Need.AcceleratorMilli == 0 ? [] : cell.Layout.KindsFor(need.Need);
        place = new Place(cell, need, choice, kinds);
        return (need.Need.AcceleratorMilli == 0 || kinds.Length > 0) && !(OneDomain && cell.Domain.Length == 0);
    }

    private PlaceGroup GroupOf(List<PlaceGroup> groups, int choice, Cell cell)
    {
        var domain = OneDomain ? cell.Domain : null;
        foreach (var group in groups)
        {
            if (string.Equals(group.Domain, domain, StringComparison.Ordinal))
                return group;
        }

        var added = new PlaceGroup(choice, domain);
        groups.Add(added);
        return added;
    }
}
