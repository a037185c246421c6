namespace Cairn.Frameworks.Sampling;

/// <summary>Chooses one generation's tokens. Holds what was said so far; one per generation.</summary>
public sealed class Sampler
{
    /// <param name="spec">How to choose; valid by <see cref="SamplingSpec"/>'s ranges.</param>
    /// <param name="prompt">Counts for the repetition penalty.</param>
    /// <param name="seed">Used where the spec has none.</param>
    public Sampler(SamplingSpec spec, ReadOnlySpan<int> prompt, ulong seed) => throw new NotImplementedException();

    /// <summary>Chooses the next token and remembers it. Overwrites <paramref name="logits"/>. Allocates only for log-probabilities.</summary>
    /// <param name="logits">One per token id.</param>
    /// <param name="allowed">One bit per token id, lowest first; empty allows all.</param>
    public SampledToken Next(Span<float> logits, ReadOnlySpan<ulong> allowed) => throw new NotImplementedException();
}

/// <summary>Finds stop strings across token borders: text is held back only while it may be the beginning of one. One per generation.</summary>
public sealed class StopStrings
{
    public StopStrings(IReadOnlyList<string> stops) => throw new NotImplementedException();

    /// <summary>The text that is certain to lie before any stop string; <paramref name="stopped"/> tells that one was found, and the rest is dropped.</summary>
    public string Append(string text, out bool stopped) => throw new NotImplementedException();

    /// <summary>What was held back, when the generation ended without a stop string.</summary>
    public string Flush() => throw new NotImplementedException();
}
