namespace Cairn.Planning.Scheduling;

/// <summary>
/// Everything that waits, as lines of equal requests. Lines to try stand in one queue by the order of their heads; parked ones stand
/// nowhere and cost nothing until <see cref="Wake"/>.
/// </summary>
internal sealed class LineQueue(NodeTable nodes)
{
    private const int IdleShapesKept = 1024;
    private const int ResolvedShapesKept = 4096;
    private readonly Dictionary<Guid, Waiting> _waiting = [];
    private readonly Dictionary<PlacementShape, CompiledShape> _shapes = [];
    private readonly Dictionary<(CompiledShape, int Priority), Line> _lines = [];
    private readonly Dictionary<Guid, Line> _joining = [];
    private readonly PriorityQueue<Line, QueueOrder> _standing = new();
    private readonly List<CompiledShape> _resolved = [];
    private int _idleShapes;

    public List<Line> Lines { get; } = [];

    public int Count => _waiting.Count;

    public Waiting? Find(Guid key) => _waiting.GetValueOrDefault(key);

    /// <param name="joins">True where the gang holds grants already and these ranks join it.</param>
    public void Add(PlacementRequest request, bool joins)
    {
        var line = LineOf(request, joins);
        var waiting = new Waiting(request, line);
        line.Enqueue(waiting);
        _waiting.Add(request.Key, waiting);
        Stand(line);
    }

    /// <summary>Takes a request out, placed or withdrawn, and lets the next of its line step up.</summary>
    public void Remove(Waiting waiting)
    {
        _waiting.Remove(waiting.Request.Key);
        waiting.Line.Remove(waiting);
        if (waiting.Line.Count == 0)
            Retire(waiting.Line);
        else
            Stand(waiting.Line);
    }

    /// <summary>The line whose head is next in order, taken out of the queue of lines to try; null where none is left.</summary>
    public Line? TakeNext()
    {
        while (_standing.TryDequeue(out var line, out var order))
        {
            if (line.Standing != order)
                continue;
            line.Standing = null;
            return line;
        }

        return null;
    }

    /// <summary>True where a line is left to try.</summary>
    public bool AnyStands
    {
        get
        {
            while (_standing.TryPeek(out var line, out var order))
            {
                if (line.Standing == order)
                    return true;
                _standing.Dequeue();
            }

            return false;
        }
    }

    /// <summary>Puts a line that is not parked, and has its head, into the queue of lines to try.</summary>
    public void Stand(Line line)
    {
        if (line.Parked || line.Head is not { } head || line.Standing == head.Order)
            return;
        line.Standing = head.Order;
        _standing.Enqueue(line, head.Order);
    }

    /// <summary>Call after a use that may have resolved the shape: all are forgotten at once when they are many.</summary>
    public void Used(CompiledShape shape, bool wasResolved)
    {
        if (wasResolved)
            return;
        if (_resolved.Count >= ResolvedShapesKept)
        {
            foreach (var resolved in _resolved)
                resolved.Forget();
            _resolved.Clear();
        }

        _resolved.Add(shape);
    }

    public void Wake(Line line)
    {
        if (!line.Parked)
            return;
        line.Parked = false;
        Stand(line);
    }

    /// <summary>Wakes the ranks that wait to join this gang: what its other ranks hold has changed.</summary>
    public void WakeJoining(Guid key)
    {
        if (_joining.TryGetValue(key, out var line))
            Wake(line);
    }

    private Line LineOf(PlacementRequest request, bool joins)
    {
        var shape = ShapeOf(request.Shape);
        if (!joins && _lines.TryGetValue((shape, request.Priority), out var known))
            return known;
        var line = new Line(shape, request.Priority, joins ? request.Key : null) { Slot = Lines.Count };
        if (joins)
            _joining[request.Key] = line;
        else
            _lines[(shape, request.Priority)] = line;
        if (shape.Lines.Count == 0)
            _idleShapes--;
        shape.Lines.Add(line);
        Lines.Add(line);
        return line;
    }

    private void Retire(Line line)
    {
        line.Standing = null;
        if (line.Joins is { } key)
            _joining.Remove(key);
        else
            _lines.Remove((line.Shape, line.Priority));
        Lines[^1].Slot = line.Slot;
        Lines[line.Slot] = Lines[^1];
        Lines.RemoveAt(Lines.Count - 1);
        line.Shape.Lines.Remove(line);
        if (line.Shape.Lines.Count == 0 && ++_idleShapes > IdleShapesKept)
            DropIdleShapes();
    }

    private CompiledShape ShapeOf(PlacementShape shape)
    {
        if (_shapes.TryGetValue(shape, out var known))
            return known;
        var classes = new NodeClass[shape.Choices.Count];
        var needs = new CompiledNeed[shape.Choices.Count];
        for (var i = 0; i < classes.Length; i++)
        {
            classes[i] = nodes.ClassOf(shape.Choices[i].NodeClass);
            var need = shape.Choices[i].Need;
            needs[i] = i > 0 && ReferenceEquals(need, needs[i - 1].Need)
                ? needs[i - 1]
                : new CompiledNeed(need, nodes.Labels.Intern(need.NodeLabels));
        }

        var compiled = new CompiledShape(shape, classes, needs);
        _shapes[shape] = compiled;
        _idleShapes++;
        return compiled;
    }

    /// <summary>Shapes without a line are kept, for the next request is likely alike; all are dropped at once when they are many.</summary>
    private void DropIdleShapes()
    {
        foreach (var (shape, compiled) in _shapes)
        {
            if (compiled.Lines.Count == 0)
                _shapes.Remove(shape);
        }

        foreach (var nodeClass in nodes.Classes)
            nodeClass.Shapes.RemoveAll(static shape => shape.Lines.Count == 0);
        _idleShapes = 0;
    }
}
