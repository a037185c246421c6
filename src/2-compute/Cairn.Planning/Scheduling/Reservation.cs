namespace Cairn.Planning.Scheduling;

/// <summary>Nodes that are kept for the head of one line while they drain.</summary>
internal sealed class Reservation(Line line)
{
    private int _firstUsed;

    public Line Line { get; } = line;

    public List<KeptNode> Kept { get; } = [];

    /// <summary>When the choice of nodes is looked at again, so that a node that drained elsewhere replaces one that did not.</summary>
    public long RenewAtMicros { get; set; }

    /// <summary>When nodes that made no progress are given up for others.</summary>
    public long StalledAtMicros { get; set; }

    /// <summary>How often that happened; each time doubles the next wait for progress.</summary>
    public int Stalls { get; set; }

    /// <summary>Nodes given up since the last full turn through all of them.</summary>
    public HashSet<Node> GivenUp { get; } = [];

    /// <summary>Thousandths missing over all kept nodes when they were last chosen.</summary>
    public long Missing { get; set; } = long.MaxValue;

    /// <summary>
    /// True when everything that is kept is free. In the common case one step: it looks first where it last found something used.
    /// </summary>
    public bool IsFree
    {
        get
        {
            for (var i = 0; i < Kept.Count; i++)
            {
                var at = (_firstUsed + i) % Kept.Count;
                if (Kept[at].IsFree)
                    continue;
                _firstUsed = at;
                return false;
            }

            return true;
        }
    }
}

/// <summary>A node that is kept, or could be, with what is held there.</summary>
/// <param name="Choice">Of the line's shape; its need is what the hold is made of.</param>
/// <param name="Tasks">How many tasks the hold has room for.</param>
/// <param name="Missing">Thousandths of the hold that were in use when it was chosen; 0 where all was free.</param>
internal readonly record struct KeptNode(Node Node, int Choice, int Tasks, int Missing, Hold Hold) : IComparable<KeptNode>
{
    public bool IsFree => Node.Covers(Hold);

    /// <summary>The closest to free first, then the cheapest.</summary>
    public int CompareTo(KeptNode other)
    {
        var byMissing = Missing.CompareTo(other.Missing);
        if (byMissing != 0)
            return byMissing;
        var byChoice = Choice.CompareTo(other.Choice);
        return byChoice != 0 ? byChoice : Node.Handle.CompareTo(other.Node.Handle);
    }
}
