namespace Cairn.Fleet.Logs;

/// <summary>Merges logs by attempt, then time, then rank. Each log keeps its own order, even where its clock went back.</summary>
internal sealed class LogMerge : IDisposable
{
    private readonly PriorityQueue<LogPartReader, (int Attempt, long Micros, int Rank)> _heads = new();

    /// <summary>The log whose <see cref="LogPartReader.Current"/> is next; null at the end.</summary>
    public LogPartReader? Head => _heads.TryPeek(out var head, out _) ? head : null;

    public async ValueTask AddAsync(LogPartReader reader, CancellationToken cancellationToken)
    {
        if (await reader.MoveNextAsync(cancellationToken))
            _heads.Enqueue(reader, KeyOf(reader));
        else
            reader.Dispose();
    }

    /// <summary>Goes on after the head.</summary>
    public async ValueTask AdvanceAsync(CancellationToken cancellationToken)
    {
        var head = _heads.Peek();
        if (await head.MoveNextAsync(cancellationToken))
            _heads.DequeueEnqueue(head, KeyOf(head));
        else
            _heads.Dequeue().Dispose();
    }

    public void Dispose()
    {
        foreach (var (reader, _) in _heads.UnorderedItems)
            reader.Dispose();
        _heads.Clear();
    }

    private static (int, long, int) KeyOf(LogPartReader reader) => (reader.Part.Attempt, reader.Current.UnixMicros, reader.Part.Rank);
}
