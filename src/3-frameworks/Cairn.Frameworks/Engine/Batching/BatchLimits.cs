namespace Cairn.Frameworks.Engine.Batching;

/// <summary>What a batch may use.</summary>
internal sealed record BatchLimits
{
    /// <summary>Sequences with a row at one time.</summary>
    public required int Rows { get; init; }

    /// <summary>Tokens of one row.</summary>
    public required int ContextLength { get; init; }

    /// <summary>
    /// Blocks of keys and values over all rows; fewer than the rows could hold means that rows may have to be given back.
    /// </summary>
    public required int Blocks { get; init; }

    public required int QueueLimit { get; init; }

    /// <summary>Blocks that the prefix cache holds.</summary>
    public int PrefixSlots { get; init; }

    /// <summary>What running streams may wait for prefill in one step.</summary>
    public double StepBudgetMilliseconds { get; init; } = 50;

    /// <summary>How long a step may prefill for every millisecond that it decodes, while no more prompts wait than streams run.</summary>
    public double PrefillRatio { get; init; } = 1.25;

    /// <summary>What a step may take while no stream runs; a cancellation is seen after it.</summary>
    public double IdleStepMilliseconds { get; init; } = 500;

    /// <summary>
    /// Tokens of one prefill chunk, at least and at most. Four cost a CPU less than twice one token's step (4-bit weights are unpacked
    /// once), so a single running stream is not slowed threefold.
    /// </summary>
    public int SmallestChunk { get; init; } = 4;
    public int LargestChunk { get; init; } = 512;
}
