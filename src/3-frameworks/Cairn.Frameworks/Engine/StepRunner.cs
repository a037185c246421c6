using System.Runtime.InteropServices;
using Cairn.Frameworks.Engine.Batching;
using Cairn.Frameworks.Engine.Decoding;
using Cairn.Frameworks.Engine.Tensors;

namespace Cairn.Frameworks.Engine;

/// <summary>Hears the logits of a sequence's last token; they are overwritten by the next run.</summary>
internal delegate void LogitsListener(Sequence sequence, Span<float> logits);

/// <summary>
/// Carries a step's plan out on a decoder, measures what it cost, and keeps the blocks of finished prefixes. Used by one thread at a time.
/// </summary>
internal sealed unsafe class StepRunner(IDecoder decoder, BatchScheduler scheduler, StepCosts costs, TimeProvider time) : IDisposable
{
    private readonly NativeBuffer _pool = new((long)scheduler.PrefixSlots * decoder.BlockBytes);
    private readonly bool[] _filled = new bool[scheduler.Rows.Length];
    private readonly int[] _tokens = new int[scheduler.Rows.Length];
    private readonly int[] _pasts = new int[scheduler.Rows.Length];
    private readonly List<int> _slots = [];
    private readonly List<BlockCopy> _saves = [];

    /// <summary>Runs the plan; every sequence that gets a next token is told to <paramref name="listener"/> with its logits.</summary>
    public void Run(StepPlan plan, LogitsListener listener)
    {
        foreach (var swap in plan.Swaps)
        {
            decoder.Swap(swap);
            (_filled[swap.A], _filled[swap.B]) = (swap.LengthB > 0, swap.LengthA > 0);
        }
        foreach (var admitted in plan.Admitted)
            EmptyRow(admitted.Row);
        Tidy();
        Restore(plan);
        foreach (var chunk in plan.Prefills)
            Prefill(chunk, listener);
        if (plan.Decodes.Count > 0)
            Decode(plan.Decodes, listener);
        Save();
    }

    /// <summary>Gives back the memory of rows that nobody has.</summary>
    public void Tidy()
    {
        for (var row = 0; row < _filled.Length; row++)
            if (scheduler.Rows[row] is null)
                EmptyRow(row);
    }

    public void Dispose()
    {
        decoder.Dispose();
        _pool.Dispose();
        HeapTrim.Run();
    }

    private void EmptyRow(int row)
    {
        if (!_filled[row])
            return;
        decoder.Empty(row);
        _filled[row] = false;
    }

    private void Restore(StepPlan plan)
    {
        if (plan.Restores.Count == 0)
            return;
        var began = time.GetTimestamp();
        for (var i = 0; i < plan.Restores.Count;)
        {
            var (row, start, _) = plan.Restores[i];
            _slots.Clear();
            for (; i < plan.Restores.Count && plan.Restores[i].Row == row; i++)
                _slots.Add(plan.Restores[i].Slot);
            decoder.Restore(row, start, CollectionsMarshal.AsSpan(_slots), _pool);
            _filled[row] = true;
        }
        costs.ObserveRestore(plan.Restores.Count, time.GetElapsedTime(began).TotalMilliseconds);
    }

    private void Prefill(PrefillChunk chunk, LogitsListener listener)
    {
        var began = time.GetTimestamp();
        var logits = decoder.Prefill(chunk.Sequence.Row, chunk.Sequence.TokensFrom(chunk.Start)[..chunk.Count], chunk.Start);
        costs.ObservePrefill(chunk.Count, time.GetElapsedTime(began).TotalMilliseconds);
        _filled[chunk.Sequence.Row] = true;
        if (chunk.IsLast)
            listener(chunk.Sequence, logits);
    }

    private void Decode(List<Sequence> sequences, LogitsListener listener)
    {
        var count = sequences.Count;
        for (var row = 0; row < count; row++)
            (_tokens[row], _pasts[row]) = (sequences[row].Tokens[^1], sequences[row].Length - 1);
        var began = time.GetTimestamp();
        var logits = decoder.Decode(_tokens.AsSpan(0, count), _pasts.AsSpan(0, count));
        costs.ObserveDecode(count, time.GetElapsedTime(began).TotalMilliseconds);
        for (var row = 0; row < count; row++)
            listener(sequences[row], logits.Slice(row * decoder.VocabularySize, decoder.VocabularySize));
    }

    private void Save()
    {
        scheduler.TakeSaves(_saves);
        foreach (var (row, start, slot) in _saves)
            decoder.Save(row, start, new Span<byte>(_pool.Start + (long)slot * decoder.BlockBytes, decoder.BlockBytes));
    }
}
