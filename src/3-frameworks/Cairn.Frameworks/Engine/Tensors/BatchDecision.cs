namespace Cairn.Frameworks.Engine.Tensors;

/// <summary>A waiting request as the decision sees it.</summary>
/// <param name="Shape">Equal for requests that may share an execution: types and every dimension but the first.</param>
/// <param name="Rows">What it adds to a batch.</param>
/// <param name="ArrivedMicroseconds">On the same clock as the decision's now.</param>
/// <param name="DeadlineMicroseconds">When it is refused, or goes behind the others; <see cref="long.MaxValue"/> never.</param>
/// <param name="DelayAtDeadline">Goes behind the others of its priority at its deadline instead of being refused.</param>
internal readonly record struct Waiting(
    ulong Priority, ShapeKey Shape, int Rows, long ArrivedMicroseconds, long DeadlineMicroseconds, bool DelayAtDeadline);

/// <summary>What to do with the waiting requests. Indices are into the list that was decided over.</summary>
/// <param name="Batch">To execute now, in this order; empty: nothing yet.</param>
/// <param name="Expired">To refuse.</param>
/// <param name="WakeMicroseconds">When to decide again though nothing came; <see cref="long.MaxValue"/> never.</param>
internal readonly record struct BatchPlan(IReadOnlyList<int> Batch, IReadOnlyList<int> Expired, long WakeMicroseconds);

/// <summary>
/// Which waiting requests form the next batch. 1: refuse the expired. 2: order by priority, what is past its deadline last within it, then
/// by
/// arrival. 3: the first one sets the shape; the others of that shape join in order while they fit. 4: the largest preferred size reached
/// goes
/// at once, as does a full batch; a smaller one goes when its oldest has waited for the delay.
/// </summary>
internal static class BatchDecision
{
    public static BatchPlan Decide(IReadOnlyList<Waiting> waiting, BatchingPolicy policy, long nowMicroseconds)
    {
        List<int>? expired = null;
        var wake = long.MaxValue;
        var order = new List<int>(waiting.Count);
        for (var i = 0; i < waiting.Count; i++)
        {
            var request = waiting[i];
            if (request.DeadlineMicroseconds <= nowMicroseconds && !request.DelayAtDeadline)
            {
                (expired ??= []).Add(i);
                continue;
            }

            if (request.DeadlineMicroseconds > nowMicroseconds)
                wake = Math.Min(wake, request.DeadlineMicroseconds);
            order.Add(i);
        }

        var gone = (IReadOnlyList<int>?)expired ?? [];
        if (order.Count == 0)
            return new([], gone, wake);
        if (!InOrder(waiting, order, nowMicroseconds))
            order.Sort((left, right) => Compare(waiting, left, right, nowMicroseconds));
        var (batch, full) = Gather(waiting, order, policy);
        var cut = Cut(waiting, batch, policy, ref full);
        var due = Oldest(waiting, batch) + policy.DelayMicroseconds;
        if (!full && due > nowMicroseconds)
            return new([], gone, Math.Min(wake, due));
        batch.RemoveRange(cut, batch.Count - cut);
        return new(batch, gone, wake);
    }

    private static bool InOrder(IReadOnlyList<Waiting> waiting, List<int> order, long now)
    {
        for (var i = 1; i < order.Count; i++)
            if (Compare(waiting, order[i - 1], order[i], now) > 0)
                return false;
        return true;
    }

    private static int Compare(IReadOnlyList<Waiting> waiting, int left, int right, long now)
    {
        var (a, b) = (waiting[left], waiting[right]);
        var byPriority = a.Priority.CompareTo(b.Priority);
        if (byPriority != 0)
            return byPriority;
        var byDelay = (a.DeadlineMicroseconds <= now).CompareTo(b.DeadlineMicroseconds <= now);
        return byDelay != 0 ? byDelay : left.CompareTo(right);
    }

    private static (List<int> Batch, bool Full) Gather(IReadOnlyList<Waiting> waiting, List<int> order, BatchingPolicy policy)
    {
        var batch = new List<int> { order[0] };
        if (!policy.Combine)
            return (batch, true);
        var rows = waiting[order[0]].Rows;
        for (var i = 1; i < order.Count && rows < policy.MaximumBatch; i++)
        {
            var next = waiting[order[i]];
            if (!next.Shape.Equals(waiting[order[0]].Shape))
            {
                // Passing over another shape would let a later answer leave first.
                if (policy.PreserveOrder)
                    return (batch, true);
                continue;
            }

            if (rows + next.Rows > policy.MaximumBatch)
                return (batch, true);
            rows += next.Rows;
            batch.Add(order[i]);
        }

        return (batch, rows >= policy.MaximumBatch);
    }

    /// <summary>How many of the batch to take: up to the largest preferred size that is reached exactly, else all.</summary>
    private static int Cut(IReadOnlyList<Waiting> waiting, List<int> batch, BatchingPolicy policy, ref bool full)
    {
        if (policy.Preferred.Length == 0)
            return batch.Count;
        var rows = 0;
        var cut = 0;
        for (var i = 0; i < batch.Count; i++)
        {
            rows += waiting[batch[i]].Rows;
            if (Array.BinarySearch(policy.Preferred, rows) >= 0)
                cut = i + 1;
        }

        full |= cut > 0;
        return cut > 0 ? cut : batch.Count;
    }

    private static long Oldest(IReadOnlyList<Waiting> waiting, List<int> batch)
    {
        var oldest = long.MaxValue;
        foreach (var index in batch)
            oldest = Math.Min(oldest, waiting[index].ArrivedMicroseconds);
        return oldest;
    }
}
