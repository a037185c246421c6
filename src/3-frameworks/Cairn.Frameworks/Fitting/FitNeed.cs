namespace Cairn.Frameworks.Fitting;

/// <summary>How fast answers must come.</summary>
/// <param name="TimeToFirstToken">From the request to its first token, on average; null: any.</param>
/// <param name="TimePerToken">Between two tokens of one answer, on average; null: any.</param>
public sealed record ServingObjective(TimeSpan? TimeToFirstToken = null, TimeSpan? TimePerToken = null);

/// <summary>What is to be served, how much of it and how well.</summary>
public sealed record FitNeed
{
    /// <summary>Tokens of a typical prompt, 1 or more; default 1,024.</summary>
    public int InputTokens { get; init; } = 1024;

    /// <summary>Tokens of a typical answer; default 256. 0 for embeddings and rerankers.</summary>
    public int OutputTokens { get; init; } = 256;

    /// <summary>Tokens for which every sequence must have room; null: input and output together.</summary>
    public int? ContextTokens { get; init; }

    /// <summary>Sequences at once per replica; null: as many as memory, objective and <see cref="MostSequences"/> allow.</summary>
    public int? Concurrency { get; init; }

    public ServingObjective Objective { get; init; } = new();

    /// <summary>Null: the best published one that fits.</summary>
    public WeightPrecision? Precision { get; init; }

    public KvPrecision KvPrecision { get; init; }

    /// <summary>
    /// Share of an accelerator's memory that the engine takes, over 0 to 1; default 0.9, vLLM's <c>--gpu-memory-utilization</c>.
    /// </summary>
    public double MemoryShare { get; init; } = 0.9;

    /// <summary>The most sequences that the engine runs at once, 1 or more; default 512.</summary>
    public int MostSequences { get; init; } = 512;

    /// <summary>Prompt tokens that the engine takes up in one step, 1 or more; default 8,192. Sizes the workspace.</summary>
    public int StepTokens { get; init; } = 8192;

    public int Context => ContextTokens ?? InputTokens + OutputTokens;

    /// <summary>Everything that is wrong with the numbers, in words; empty when nothing is.</summary>
    public IReadOnlyList<string> Problems()
    {
        var problems = new List<string>();
        void Require(bool holds, string message)
        {
            if (!holds)
                problems.Add(message);
        }

        Require(InputTokens is >= 1 and <= 100_000_000, $"input is {InputTokens} tokens; expected 1 to 100,000,000.");
        Require(OutputTokens is >= 0 and <= 100_000_000, $"output is {OutputTokens} tokens; expected 0 to 100,000,000.");
        Require(
            ContextTokens is null || ContextTokens >= (long)InputTokens + OutputTokens,
            $"context is {ContextTokens} tokens; input and output need {(long)InputTokens + OutputTokens}.");
        Require(Concurrency is null or (>= 1 and <= 1_000_000), $"concurrency is {Concurrency}; expected 1 to 1,000,000.");
        Require(
            Objective.TimeToFirstToken is null || Objective.TimeToFirstToken > TimeSpan.Zero,
            $"ttft is {Objective.TimeToFirstToken?.TotalMilliseconds} ms; expected more than 0.");
        Require(
            Objective.TimePerToken is null || Objective.TimePerToken > TimeSpan.Zero,
            $"tpot is {Objective.TimePerToken?.TotalMilliseconds} ms; expected more than 0.");
        Require(MemoryShare is > 0 and <= 1, $"memory share is {MemoryShare}; expected more than 0 and at most 1.");
        Require(MostSequences is >= 1 and <= 1_000_000, $"the most sequences are {MostSequences}; expected 1 to 1,000,000.");
        Require(StepTokens is >= 1 and <= 100_000_000, $"step tokens are {StepTokens}; expected 1 to 100,000,000.");
        return problems;
    }
}
