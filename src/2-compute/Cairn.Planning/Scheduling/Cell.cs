using System.Numerics;

namespace Cairn.Planning.Scheduling;

/// <summary>
/// The nodes of one class, domain and device layout, indexed for the best fit. A schedulable node is in exactly one list: its row is
/// the number of wholly free devices that anyone may take, its level grows with its free CPUs (two levels per doubling). Taking the lowest
/// row that suffices leaves the fewest fragments of accelerators, the lowest level within it those of CPUs, and no list of exhausted nodes
/// is walked. A second index holds nodes with a partly used device by the largest share that is free there.
/// </summary>
internal sealed class Cell(NodeClass nodeClass, string domain, DeviceLayout layout)
{
    private const int Levels = 64;
    private const int ShareWidth = 50;
    private readonly Node?[] _heads = new Node?[(layout.Count + 1) * Levels];
    private readonly ulong[] _levels = new ulong[layout.Count + 1];
    private readonly int[] _counts = new int[layout.Count + 1];
    private readonly Node?[] _shares = new Node?[layout.Count == 0 ? 0 : TaskNeed.WholeAccelerator / ShareWidth + 1];

    public NodeClass Class { get; } = nodeClass;

    public string Domain { get; } = domain;

    public DeviceLayout Layout { get; } = layout;

    /// <summary>Every node, in the index or not.</summary>
    public List<Node> Nodes { get; } = [];

    /// <summary>Bit f is set where some node has f devices to take.</summary>
    public ulong Rows { get; private set; }

    /// <summary>Bit b is set where some node's largest free share is in bucket b.</summary>
    public uint Shares { get; private set; }

    /// <summary>True from a change that may let a waiting request in until the next round has seen it.</summary>
    public bool Dirty { get; set; }

    public void Add(Node node)
    {
        node.Cell = this;
        node.SlotInCell = Nodes.Count;
        Nodes.Add(node);
    }

    public void Remove(Node node)
    {
        var last = Nodes[^1];
        Nodes[node.SlotInCell] = last;
        last.SlotInCell = node.SlotInCell;
        Nodes.RemoveAt(Nodes.Count - 1);
    }

    /// <summary>The level whose nodes, and those above, may have <paramref name="cpuMillis"/> free; monotone.</summary>
    public static int LevelOf(long cpuMillis)
    {
        if (cpuMillis <= 1)
            return 0;
        var log = BitOperations.Log2((ulong)cpuMillis);
        return Math.Min(Levels - 1, 2 * log + (int)(cpuMillis >> log - 1 & 1));
    }

    public static int ShareBucketOf(int milli) => milli / ShareWidth;

    /// <summary>The levels of row <paramref name="row"/> from <paramref name="level"/> on that have nodes, one bit each.</summary>
    public ulong LevelsFrom(int row, int level) => _levels[row] & ulong.MaxValue << level;

    public Node? First(int row, int level) => _heads[row * Levels + level];

    public Node? FirstShare(int bucket) => _shares[bucket];

    /// <summary>Nodes with exactly <paramref name="row"/> devices to take.</summary>
    public int CountOf(int row) => _counts[row];

    /// <summary>How many tasks of <paramref name="devices"/> devices each fit by devices alone: an upper bound of what fits.</summary>
    public long RoomFor(int devices, bool onePerNode)
    {
        var room = 0L;
        for (var rows = devices == 0 ? Rows : Rows >> devices << devices; rows != 0; rows &= rows - 1)
        {
            var row = BitOperations.TrailingZeroCount(rows);
            room += (long)_counts[row] * (onePerNode || devices == 0 ? 1 : row / devices);
        }

        return room;
    }

    /// <summary>Puts the node where its room says. Call after every change of a node that is in the index.</summary>
    public void Link(Node node)
    {
        var row = node.OpenDevices;
        var level = LevelOf(node.OpenCpu);
        ref var head = ref _heads[row * Levels + level];
        (node.Row, node.Level, node.Previous, node.Next) = (row, level, null, head);
        if (head is not null)
            head.Previous = node;
        head = node;
        _levels[row] |= 1UL << level;
        if (_counts[row]++ == 0)
            Rows |= 1UL << row;
        if (node.PartlyFree != 0)
            LinkShare(node);
    }

    public void Unlink(Node node)
    {
        if (node.Row < 0)
            return;
        if (node.Next is not null)
            node.Next.Previous = node.Previous;
        if (node.Previous is not null)
            node.Previous.Next = node.Next;
        else if ((_heads[node.Row * Levels + node.Level] = node.Next) is null)
            _levels[node.Row] &= ~(1UL << node.Level);
        if (--_counts[node.Row] == 0)
            Rows &= ~(1UL << node.Row);
        (node.Row, node.Next, node.Previous) = (-1, null, null);
        if (node.ShareBucket >= 0)
            UnlinkShare(node);
    }

    private void LinkShare(Node node)
    {
        var share = node.LargestShare;
        if (share == 0)
            return;
        var bucket = ShareBucketOf(share);
        ref var head = ref _shares[bucket];
        (node.ShareBucket, node.PreviousShare, node.NextShare) = (bucket, null, head);
        if (head is not null)
            head.PreviousShare = node;
        head = node;
        Shares |= 1U << bucket;
    }

    private void UnlinkShare(Node node)
    {
        if (node.NextShare is not null)
            node.NextShare.PreviousShare = node.PreviousShare;
        if (node.PreviousShare is not null)
            node.PreviousShare.NextShare = node.NextShare;
        else if ((_shares[node.ShareBucket] = node.NextShare) is null)
            Shares &= ~(1U << node.ShareBucket);
        (node.ShareBucket, node.NextShare, node.PreviousShare) = (-1, null, null);
    }
}

/// <summary>A class of nodes: its cells, and the shapes that accept it.</summary>
internal sealed class NodeClass(string name)
{
    public string Name { get; } = name;

    public List<Cell> Cells { get; } = [];

    public List<CompiledShape> Shapes { get; } = [];

    /// <summary>The one reservation that this class may carry.</summary>
    public Reservation? Reservation { get; set; }
}
