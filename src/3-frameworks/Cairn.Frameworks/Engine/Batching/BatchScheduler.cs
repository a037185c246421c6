using System.Diagnostics;

namespace Cairn.Frameworks.Engine.Batching;

/// <summary>
/// Decides what the next step does, and keeps book of rows, memory and prefixes while it does. It knows no clock and no tensors: what steps
/// cost comes as an argument, and what it decides is carried out by whoever owns the rows.
/// </summary>
/// <remarks>
/// Rows [0, decoding) decode together, since one run of a graph takes a contiguous range; the rows behind them are being prefilled, one
/// chunk at a time, or free.
/// </remarks>
internal sealed partial class BatchScheduler
{
    private readonly BatchLimits _limits;
    private readonly Sequence?[] _rows;
    private readonly FairQueue _queue = new();
    private readonly SortedSet<Sequence> _preempted = new(Comparer<Sequence>.Create((a, b) => a.Id.CompareTo(b.Id)));
    private readonly PrefixIndex _prefixes;
    private readonly List<RowSwap> _swaps = [];
    private int _decoding;
    private int _usedBlocks;
    private long _admissions;

    /// <exception cref="ArgumentException">A single sequence could need more blocks than there are.</exception>
    public BatchScheduler(BatchLimits limits)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limits.Rows, 1);
        if (limits.Blocks < BlockKey.BlocksFor(limits.ContextLength))
            throw new ArgumentException($"{limits.Blocks} blocks cannot hold a context of {limits.ContextLength} tokens", nameof(limits));
        _limits = limits;
        _rows = new Sequence?[limits.Rows];
        _prefixes = new PrefixIndex(limits.PrefixSlots);
    }

    public int Running { get; private set; }
    public int Waiting => _queue.Count + _preempted.Count;
    public int Decoding => _decoding;
    public int UsedBlocks => _usedBlocks;
    public int PrefixSlots => _prefixes.Capacity;
    public long PrefixQueries { get; private set; }
    public long PrefixHits { get; private set; }
    public long Preemptions { get; private set; }

    /// <summary>The sequence of every row; null is free.</summary>
    public ReadOnlySpan<Sequence?> Rows => _rows;

    /// <summary>What a caller was served so far, in weighted tokens.</summary>
    public long ServedTo(string caller) => _queue.ServedTo(caller);

    /// <summary>False where as many wait as may.</summary>
    public bool TryEnqueue(Sequence sequence)
    {
        if (sequence.MaximumLength > _limits.ContextLength)
            throw new ArgumentException(
                $"a sequence of {sequence.MaximumLength} tokens does not fit a context of {_limits.ContextLength}", nameof(sequence));
        if (Waiting >= _limits.QueueLimit + FreeRows)
            return false;
        _queue.Enqueue(sequence);
        return true;
    }

    /// <summary>Takes the token that a planned decode or last chunk chose.</summary>
    public void Append(Sequence sequence, int token)
    {
        Debug.Assert(sequence.Row >= 0 && sequence.Pending == 0, "only a sequence whose tokens are all filled has a next one");
        sequence.Add(token);
        _queue.Charge(sequence.Caller, FairQueue.OutputWeight);
        if (sequence.Row < _decoding)
            return;
        Swap(sequence.Row, _decoding);
        _decoding++;
    }

    /// <summary>The sequence is done or its client left: its row is free for the next plan.</summary>
    public void Remove(Sequence sequence)
    {
        if (sequence.Row >= 0)
            Release(sequence);
        else if (!_queue.Remove(sequence))
            _preempted.Remove(sequence);
    }

    /// <summary>
    /// The blocks that the step just run has filled and that the prefix cache wants: to be copied before the next plan runs.
    /// </summary>
    public void TakeSaves(List<BlockCopy> saves)
    {
        saves.Clear();
        if (_prefixes.Capacity == 0)
            return;
        foreach (var sequence in _rows)
            if (sequence is not null)
                Offer(sequence, saves);
    }

    private int FreeRows => _rows.Length - Running;

    private void Offer(Sequence sequence, List<BlockCopy> saves)
    {
        for (var whole = sequence.Filled / BlockKey.Tokens; sequence.Offered < whole; sequence.Offered++)
        {
            var key = sequence.KeyOf(sequence.Offered);
            if (_prefixes.Contains(key))
                continue;
            var parent = sequence.Offered == 0 ? BlockKey.Root : sequence.KeyOf(sequence.Offered - 1);
            if (_prefixes.TryAdd(key, parent, out var slot))
                saves.Add(new BlockCopy(sequence.Row, sequence.Offered * BlockKey.Tokens, slot));
        }
    }

    private void Release(Sequence sequence)
    {
        var row = sequence.Row;
        Debug.Assert(_rows[row] == sequence, "a row belongs to one sequence");
        _rows[row] = null;
        sequence.Row = -1;
        _usedBlocks -= sequence.Blocks;
        sequence.Blocks = 0;
        Running--;
        if (row >= _decoding)
            return;
        _decoding--;
        Swap(row, _decoding);
    }

    private void Swap(int a, int b)
    {
        if (a == b)
            return;
        _swaps.Add(new RowSwap(a, _rows[a]?.Filled ?? 0, b, _rows[b]?.Filled ?? 0));
        (_rows[a], _rows[b]) = (_rows[b], _rows[a]);
        _rows[a]?.Row = a;
        _rows[b]?.Row = b;
    }
}
