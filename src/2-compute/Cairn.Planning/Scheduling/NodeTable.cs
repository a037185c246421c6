namespace Cairn.Planning.Scheduling;

/// <summary>Every node by its handle, every cell by its class, and which cells changed since the last round.</summary>
internal sealed class NodeTable
{
    private readonly List<Node?> _nodes = [];
    private readonly Stack<int> _unusedHandles = [];
    private readonly Dictionary<string, NodeClass> _classes = new(StringComparer.Ordinal);
    private readonly List<Cell> _dirty = [];

    public LabelSets Labels { get; } = new();

    public int Count => _nodes.Count - _unusedHandles.Count;

    /// <summary>Cells in which something was freed since <see cref="ForgetDirty"/>.</summary>
    public List<Cell> Dirty => _dirty;

    public Node this[int handle] =>
        (uint)handle < (uint)_nodes.Count && _nodes[handle] is { } node
            ? node
            : throw new ArgumentException($"No node has the handle {handle}; it was removed, or never added.", nameof(handle));

    public NodeClass ClassOf(string name)
    {
        if (!_classes.TryGetValue(name, out var found))
            _classes[name] = found = new NodeClass(name);
        return found;
    }

    public Dictionary<string, NodeClass>.ValueCollection Classes => _classes.Values;

    public Node Add(NodeShape shape, bool schedulable)
    {
        Check(shape);
        var cell = CellOf(shape);
        var node = new Node(_unusedHandles.Count > 0 ? _unusedHandles.Pop() : _nodes.Count) { Schedulable = schedulable };
        if (node.Handle == _nodes.Count)
            _nodes.Add(node);
        else
            _nodes[node.Handle] = node;
        Shape(node, shape, cell);
        return node;
    }

    /// <summary>
    /// Gives a node another shape. It has no reservation; its grants are taken from the new amounts by the caller before <see
    /// cref="Refresh"/>.
    /// </summary>
    public void Reshape(Node node, NodeShape shape)
    {
        Check(shape);
        var cell = CellOf(shape);
        node.Cell.Unlink(node);
        node.Cell.Remove(node);
        Shape(node, shape, cell);
    }

    public void Remove(Node node)
    {
        node.Cell.Unlink(node);
        node.Cell.Remove(node);
        _nodes[node.Handle] = null;
        _unusedHandles.Push(node.Handle);
    }

    /// <summary>Puts the node where its room and its state say.</summary>
    /// <param name="freed">True where someone who waits may now fit.</param>
    public void Refresh(Node node, bool freed)
    {
        node.Cell.Unlink(node);
        if (!node.Schedulable)
            return;
        node.Cell.Link(node);
        if (freed)
            MarkDirty(node.Cell);
    }

    public void MarkDirty(Cell cell)
    {
        if (cell.Dirty)
            return;
        cell.Dirty = true;
        _dirty.Add(cell);
    }

    public void ForgetDirty()
    {
        foreach (var cell in _dirty)
            cell.Dirty = false;
        _dirty.Clear();
    }

    private void Shape(Node node, NodeShape shape, Cell cell)
    {
        node.Shape = shape;
        node.Labels = Labels.Intern(shape.Labels);
        cell.Add(node);
        node.Reset();
    }

    private Cell CellOf(NodeShape shape)
    {
        var nodeClass = ClassOf(shape.NodeClass);
        foreach (var known in nodeClass.Cells)
        {
            if (known.Domain.Equals(shape.Domain, StringComparison.Ordinal) && known.Layout.Holds(shape.Devices))
                return known;
        }

        var cell = new Cell(nodeClass, shape.Domain, new DeviceLayout(shape.Devices));
        nodeClass.Cells.Add(cell);
        foreach (var compiled in nodeClass.Shapes)
            compiled.Forget();
        return cell;
    }

    private static void Check(NodeShape shape)
    {
        ArgumentNullException.ThrowIfNull(shape);
        ArgumentOutOfRangeException.ThrowIfNegative(shape.CpuMillis);
        ArgumentOutOfRangeException.ThrowIfNegative(shape.MemoryBytes);
        ArgumentOutOfRangeException.ThrowIfNegative(shape.DiskBytes);
    }
}
