namespace Cairn.Planning.Scheduling;

/// <summary>
/// Finds the heads of parked lines that waited past the bound, first in order first. Looks at every line, so it is not for every round.
/// </summary>
internal sealed class AgedHeads(LineQueue queue, long reserveAfterMicros)
{
    /// <summary>So many of them in one scan.</summary>
    private const int PerScan = 32;

    /// <summary>The last in order on top, so that it makes way for an earlier one.</summary>
    private readonly PriorityQueue<Line, QueueOrder> _first = new(Comparer<QueueOrder>.Create(static (one, two) => two.CompareTo(one)));

    /// <summary>What the last scan found.</summary>
    public List<Line> Aged { get; } = [];

    public long AgesAt(Line line) => Math.Max(line.Head!.Request.SubmittedAtMicros + reserveAfterMicros, line.ReserveNotBefore);

    /// <returns>When the next head reaches the bound that has not yet; the largest number where none will.</returns>
    public long Scan(long nowMicros)
    {
        var next = long.MaxValue;
        foreach (var line in queue.Lines)
        {
            if (!line.Parked || line.Reservation is not null)
                continue;
            var agesAt = AgesAt(line);
            if (agesAt > nowMicros)
                next = Math.Min(next, agesAt);
            else
                Offer(line);
        }

        Aged.Clear();
        while (_first.TryDequeue(out var line, out _))
            Aged.Add(line);
        Aged.Reverse();
        return next;
    }

    private void Offer(Line line)
    {
        if (_first.Count < PerScan)
            _first.Enqueue(line, line.Head!.Order);
        else
            _first.EnqueueDequeue(line, line.Head!.Order);
    }
}
