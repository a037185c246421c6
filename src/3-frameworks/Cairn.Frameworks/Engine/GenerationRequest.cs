using Cairn.Frameworks.Constraining;
using Cairn.Frameworks.Sampling;

namespace Cairn.Frameworks.Engine;

/// <summary>What to generate.</summary>
public sealed record GenerationRequest
{
    /// <summary>At least one token, and fewer than the context holds.</summary>
    public required int[] Prompt { get; init; }

    /// <summary>At most so many tokens of output, at least 1; cut to what the context leaves.</summary>
    public required int MaximumTokens { get; init; }

    public SamplingSpec Sampling { get; init; } = new();

    /// <summary>The output ends before the first of these.</summary>
    public IReadOnlyList<string> Stops { get; init; } = [];

    /// <summary>Null leaves the output free.</summary>
    public Grammar? Grammar { get; init; }

    /// <summary>Whom the engine is fair to: callers share it evenly, however many requests each has.</summary>
    public string Caller { get; init; } = "";

    /// <summary>
    /// Goes on past end tokens until <see cref="MaximumTokens"/>; for benchmarks. A grammar ends the output all the same.
    /// </summary>
    public bool IgnoreEnd { get; init; }

    /// <summary>
    /// Whoever reads the output takes a piece in moments and never blocks its thread. The engine then lets its own thread run the reader
    /// between two steps, where these occupy every processor.
    /// </summary>
    internal bool ReaderIsBrief { get; init; }
}
