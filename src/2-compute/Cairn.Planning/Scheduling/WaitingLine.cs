namespace Cairn.Planning.Scheduling;

/// <summary>
/// Places in the order of the queue: a higher priority first, then the lower sequence, then the key so that no two are equal.
/// </summary>
internal readonly record struct QueueOrder(int Priority, long Sequence, Guid Key) : IComparable<QueueOrder>
{
    public int CompareTo(QueueOrder other)
    {
        var byPriority = other.Priority.CompareTo(Priority);
        if (byPriority != 0)
            return byPriority;
        var bySequence = Sequence.CompareTo(other.Sequence);
        return bySequence != 0 ? bySequence : Key.CompareTo(other.Key);
    }
}

/// <summary>A request in its line.</summary>
internal sealed class Waiting(PlacementRequest request, Line line)
{
    public PlacementRequest Request { get; } = request;

    public Line Line { get; } = line;

    /// <summary>It was withdrawn or placed; its entry in the line is passed over.</summary>
    public bool Gone { get; set; }

    public QueueOrder Order => new(Request.Priority, Request.Sequence, Request.Key);
}

/// <summary>
/// Requests of one shape and priority in order. They are alike to the scheduler, so when the head finds no room none does: the line is
/// parked and not tried again until something is freed that it could use.
/// </summary>
internal sealed class Line(CompiledShape shape, int priority, Guid? joins)
{
    private readonly PriorityQueue<Waiting, QueueOrder> _queue = new();

    public CompiledShape Shape { get; } = shape;

    public int Priority { get; } = priority;

    /// <summary>The gang that the one request of this line joins; null for a line of whole gangs.</summary>
    public Guid? Joins { get; } = joins;

    public int Count { get; private set; }

    /// <summary>True while it waits for something to be freed; false while it stands in the queue of lines to try.</summary>
    public bool Parked { get; set; }

    public Reservation? Reservation { get; set; }

    /// <summary>The number of the round in which it was last tried.</summary>
    public long LastRound { get; set; }

    /// <summary>Before this it is not looked at for a reservation again: none could be made.</summary>
    public long ReserveNotBefore { get; set; } = long.MinValue;

    /// <summary>The order under which the line stands in the queue of lines; an entry with another order is out of date.</summary>
    public QueueOrder? Standing { get; set; }

    /// <summary>The position in the list of all lines.</summary>
    public int Slot { get; set; }

    public Waiting? Head
    {
        get
        {
            while (_queue.TryPeek(out var head, out _))
            {
                if (!head.Gone)
                    return head;
                _queue.Dequeue();
            }

            return null;
        }
    }

    public void Enqueue(Waiting waiting)
    {
        _queue.Enqueue(waiting, waiting.Order);
        Count++;
    }

    public void Remove(Waiting waiting)
    {
        waiting.Gone = true;
        Count--;
        if (_queue.Count > 64 && _queue.Count > 2 * Count)
            Compact();
    }

    /// <summary>
    /// Entries that are gone are passed over at the head; where most are gone they are dropped, so that memory follows the live ones.
    /// </summary>
    private void Compact()
    {
        var live = new List<(Waiting, QueueOrder)>(Count);
        foreach (var (waiting, order) in _queue.UnorderedItems)
        {
            if (!waiting.Gone)
                live.Add((waiting, order));
        }

        _queue.Clear();
        _queue.EnqueueRange(live);
    }
}
