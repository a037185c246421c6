using Cairn.Frameworks.Engine.Batching;

namespace Cairn.Frameworks.Tests.Engine.Batching;

/// <summary>
/// Carries out a scheduler's plans on a simulated model: a row's memory at a position is a hash of all tokens up to it, made from the
/// memory at the position before, and the next token is read off the last one. Whoever puts memory in a wrong place says other tokens.
/// </summary>
internal sealed class SimulatedBatch
{
    private readonly BatchLimits _limits;
    private readonly ulong[][] _rows;
    private readonly ulong[][] _slots;
    private readonly StepPlan _plan = new();
    private readonly List<BlockCopy> _saves = [];
    private readonly HashSet<Sequence> _live = [];

    public SimulatedBatch(BatchLimits limits, StepCosts? costs = null)
    {
        _limits = limits;
        Scheduler = new BatchScheduler(limits);
        Costs = costs ?? MeasuredCosts(limits.Rows);
        _rows = [.. Enumerable.Range(0, limits.Rows).Select(_ => new ulong[limits.ContextLength])];
        _slots = [.. Enumerable.Range(0, limits.PrefixSlots).Select(_ => new ulong[BlockKey.Tokens])];
    }

    public BatchScheduler Scheduler { get; }
    public StepCosts Costs { get; }
    public List<Sequence> Finished { get; } = [];
    public List<(int Decodes, int PrefillTokens)> Steps { get; } = [];

    /// <summary>2 ms and 1 ms per row for a decode step, 1 ms per prefilled token, a tenth for a restored block.</summary>
    public static StepCosts MeasuredCosts(int rows)
    {
        var costs = new StepCosts(rows);
        for (var size = 1; size <= 512; size *= 2)
            costs.ObservePrefill(size, size);
        for (var row = 1; row <= rows; row++)
            costs.ObserveDecode(row, 2 + row);
        costs.ObserveRestore(1, 0.1);
        return costs;
    }

    public bool TryAdd(Sequence sequence) => Scheduler.TryEnqueue(sequence) && _live.Add(sequence);

    public void Cancel(Sequence sequence)
    {
        if (_live.Remove(sequence))
            Scheduler.Remove(sequence);
        Assert.Equal(-1, sequence.Row);
    }

    public StepPlan Step()
    {
        Scheduler.Plan(Costs, _plan);
        CheckBooks();
        foreach (var swap in _plan.Swaps)
            Swap(swap);
        foreach (var (row, start, slot) in _plan.Restores)
            Array.Copy(_slots[slot], 0, _rows[row], start, BlockKey.Tokens);
        foreach (var chunk in _plan.Prefills)
            Write(chunk.Sequence, chunk.Start, chunk.Count);
        for (var row = 0; row < _plan.Decodes.Count; row++)
        {
            Assert.Equal(row, _plan.Decodes[row].Row);
            Write(_plan.Decodes[row], _plan.Decodes[row].Length - 1, 1);
        }
        Scheduler.TakeSaves(_saves);
        foreach (var (row, start, slot) in _saves)
            Array.Copy(_rows[row], start, _slots[slot], 0, BlockKey.Tokens);
        Steps.Add((_plan.Decodes.Count, _plan.Prefills.Sum(p => p.Count)));
        // All are heard before any is taken, since taking one gives others new rows.
        foreach (var (sequence, said) in _plan.Prefills.Where(p => p.IsLast).Select(p => p.Sequence).Concat(_plan.Decodes)
                     .Select(s => (s, Say(_rows[s.Row][s.Length - 1]))).ToList())
            Take(sequence, said);
        return _plan;
    }

    /// <summary>What the sequence says when nothing else runs.</summary>
    public static int[] Alone(int[] prompt, int maximumLength)
    {
        var tokens = prompt.ToList();
        var state = 0UL;
        foreach (var token in tokens)
            state = Mix(state, token);
        while (tokens.Count < maximumLength)
        {
            tokens.Add(Say(state));
            state = Mix(state, tokens[^1]);
        }
        return [.. tokens];
    }

    private void Take(Sequence sequence, int token)
    {
        Scheduler.Append(sequence, token);
        if (sequence.Length < sequence.MaximumLength)
            return;
        Scheduler.Remove(sequence);
        _live.Remove(sequence);
        Finished.Add(sequence);
    }

    private void Write(Sequence sequence, int start, int count)
    {
        var row = _rows[sequence.Row];
        for (var i = start; i < start + count; i++)
            row[i] = Mix(i == 0 ? 0 : row[i - 1], sequence.Tokens[i]);
    }

    // Only what the lengths name changes places; the rest is spoilt, so that nobody can live on it.
    private void Swap(RowSwap swap)
    {
        var a = _rows[swap.A][..swap.LengthA];
        var b = _rows[swap.B][..swap.LengthB];
        Array.Fill(_rows[swap.A], 0xDEADUL);
        Array.Fill(_rows[swap.B], 0xDEADUL);
        b.CopyTo(_rows[swap.A], 0);
        a.CopyTo(_rows[swap.B], 0);
    }

    private void CheckBooks()
    {
        var rows = Scheduler.Rows.ToArray();
        var taken = rows.Where(r => r is not null).Select(r => r!).ToList();
        Assert.Equal(taken.Count, taken.Distinct().Count());
        Assert.All(Enumerable.Range(0, rows.Length), row => Assert.True(rows[row] is null || rows[row]!.Row == row));
        Assert.Equal(Scheduler.Running, taken.Count);
        Assert.Equal(taken.Sum(s => s.Blocks), Scheduler.UsedBlocks);
        Assert.InRange(Scheduler.UsedBlocks, 0, _limits.Blocks);
        Assert.All(taken, s => Assert.True(s.Filled <= s.Blocks * BlockKey.Tokens, "a sequence writes only into blocks that it holds"));
        Assert.Equal(_live.Count, Scheduler.Running + Scheduler.Waiting);
    }

    private static int Say(ulong state) => (int)(state % 5);

    private static ulong Mix(ulong state, int token) => (state ^ ((ulong)token + 0x9E3779B97F4A7C15)) * 0xBF58476D1CE4E5B9 + 1;
}
