using Cairn.Frameworks.Constraining;
using Cairn.Frameworks.Engine.Batching;
using Cairn.Frameworks.Sampling;

namespace Cairn.Frameworks.Engine;

/// <summary>
/// A generation that waits or runs: its sequence, how its tokens are chosen, and what its reader is told. Used by the loop's thread alone.
/// </summary>
internal sealed class LiveGeneration(Sequence sequence, Generation generation)
{
    private int _output;
    private volatile bool _hasLeft;

    public Sequence Sequence => sequence;
    public Generation Generation => generation;
    public required Sampler Sampler { get; init; }
    public required OutputText Text { get; init; }
    public GrammarState? Grammar { get; init; }
    public required IReadOnlyList<int> EndTokens { get; init; }

    /// <summary>Logits beyond it are padding of the output layer.</summary>
    public required int Vocabulary { get; init; }

    public CancellationTokenRegistration Cancellation { get; set; }

    /// <summary>Its client cancelled or stopped reading. Set from any thread.</summary>
    public bool HasLeft { get => _hasLeft; set => _hasLeft = value; }

    /// <summary>When it was asked for, got a row first, and had its first token; 0 is not yet. In the clock's ticks.</summary>
    public long Asked { get; set; }
    public long Admitted { get; set; }
    public long FirstToken { get; set; }

    public SampledToken Sample(Span<float> logits)
    {
        var sampled = Sampler.Next(logits[..Vocabulary], Grammar is null ? default : Grammar.Allowed);
        if (Grammar is not null && !EndTokens.Contains(sampled.Token))
            Grammar.Advance(sampled.Token);
        return sampled;
    }

    /// <summary>Tells the reader of a token. Null while the generation goes on.</summary>
    /// <exception cref="EngineException">The reader is too far behind.</exception>
    public FinishReason? Tell(SampledToken sampled)
    {
        if (EndTokens.Contains(sampled.Token))
        {
            Write(Text.Flush(out _), []);
            return FinishReason.Stop;
        }
        _output++;
        var text = Text.Append(sampled.Token, out var stopped);
        var finish = stopped || Grammar is { IsFinished: true } ? FinishReason.Stop
            : sequence.PromptLength + _output >= sequence.MaximumLength ? FinishReason.Length : (FinishReason?)null;
        if (finish is not null && !stopped)
        {
            text += Text.Flush(out stopped);
            finish = stopped ? FinishReason.Stop : finish;
        }
        Write(text, [sampled]);
        return finish;
    }

    public void Finish(FinishReason reason, TimeProvider time)
    {
        var now = time.GetTimestamp();
        var finish = new GenerationFinish(reason, sequence.PromptLength, sequence.CachedTokens, _output)
        {
            Queued = time.GetElapsedTime(Asked, Admitted == 0 ? now : Admitted),
            Prefill = Admitted == 0 ? TimeSpan.Zero : time.GetElapsedTime(Admitted, FirstToken == 0 ? now : FirstToken),
            Decode = FirstToken == 0 ? TimeSpan.Zero : time.GetElapsedTime(FirstToken, now),
            Preemptions = sequence.Preemptions,
        };
        Complete(generation.TryWrite(new GenerationPiece("", [], finish)) ? null : TooFarBehind());
    }

    public void Fail(Exception error) =>
        Complete(error as EngineException ?? new EngineException($"The engine failed: {error.Message}", error));

    private void Complete(Exception? error)
    {
        Cancellation.Dispose();
        generation.Complete(error);
    }

    private void Write(string text, SampledToken[] tokens)
    {
        if ((text.Length > 0 || tokens.Length > 0) && !generation.TryWrite(new GenerationPiece(text, tokens, null)))
            throw TooFarBehind();
    }

    private static EngineException TooFarBehind() =>
        new("The generation was ended because its reader fell too far behind "
            + $"(option {nameof(EngineOptions.ReaderLagPieces)}). Read faster, or ask for less.");
}
