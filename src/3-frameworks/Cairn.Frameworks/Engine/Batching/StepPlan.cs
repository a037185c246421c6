namespace Cairn.Frameworks.Engine.Batching;

/// <summary>
/// What the next step does, in this order: swap rows, restore blocks, prefill chunks one by one, decode the first rows together.
/// </summary>
internal sealed class StepPlan
{
    public List<RowSwap> Swaps { get; } = [];
    public List<BlockCopy> Restores { get; } = [];
    public List<PrefillChunk> Prefills { get; } = [];

    /// <summary>The sequences of rows 0, 1, …; each gets its last token's keys and values, and a next token.</summary>
    public List<Sequence> Decodes { get; } = [];

    public List<Sequence> Admitted { get; } = [];
    public List<Sequence> Preempted { get; } = [];

    public bool IsEmpty => Swaps.Count + Restores.Count + Prefills.Count + Decodes.Count == 0;

    internal void Clear()
    {
        Swaps.Clear();
        Restores.Clear();
        Prefills.Clear();
        Decodes.Clear();
        Admitted.Clear();
        Preempted.Clear();
    }
}

/// <summary>The contents of two rows change places; a length is the tokens that matter of a row, 0 where it is free.</summary>
internal readonly record struct RowSwap(int A, int LengthA, int B, int LengthB);

/// <summary>A whole block between a row (from token <paramref name="Start"/>) and a slot of the pool.</summary>
internal readonly record struct BlockCopy(int Row, int Start, int Slot);

/// <summary>Tokens [Start, Start + Count) of a sequence; with the last one comes its next token.</summary>
internal readonly record struct PrefillChunk(Sequence Sequence, int Start, int Count)
{
    public bool IsLast => Start + Count == Sequence.Length;
}
