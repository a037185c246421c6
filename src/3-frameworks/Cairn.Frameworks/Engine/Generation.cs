using System.Runtime.CompilerServices;
using Cairn.Frameworks.Sampling;

namespace Cairn.Frameworks.Engine;

/// <summary>One request's output as it comes.</summary>
public sealed class Generation
{
    private readonly PieceQueue _pieces;
    private Action? _leave;

    /// <param name="lag">Pieces that the reader may leave unread.</param>
    /// <param name="inline">See <see cref="PieceQueue"/>.</param>
    internal Generation(int lag, bool inline = false) => _pieces = new PieceQueue(lag, inline);

    /// <summary>
    /// Pieces in order; the last has a <see cref="GenerationPiece.Finish"/>. For one reader; one that leaves early ends the generation. A
    /// reader that stays more than <see cref="EngineOptions.ReaderLagPieces"/> behind ends it too.
    /// </summary>
    /// <exception cref="EngineException">The engine failed, was unloaded, or ran away from its reader.</exception>
    public async IAsyncEnumerable<GenerationPiece> ReadAllAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        try
        {
            await using var cancelled = cancellationToken.UnsafeRegister(static pieces => ((PieceQueue)pieces!).Wake(), _pieces);
            while (await _pieces.WaitAsync(cancellationToken))
                while (_pieces.TryRead(out var piece))
                    yield return piece;
        }
        finally
        {
            _leave?.Invoke();
        }
    }

    /// <summary>What a reader that leaves calls.</summary>
    internal void OnLeave(Action leave) => _leave = leave;

    /// <summary>False where the reader is too far behind.</summary>
    internal bool TryWrite(in GenerationPiece piece) => _pieces.TryWrite(piece);

    internal void Complete(Exception? error) => _pieces.Complete(error);
}

/// <summary>A step of output.</summary>
/// <param name="Text">Whole characters, free of stop strings; may be empty.</param>
/// <param name="Tokens">The tokens since the last piece, the end token left out, with log-probabilities where asked for.</param>
/// <param name="Finish">Set on the last piece only.</param>
public readonly record struct GenerationPiece(string Text, IReadOnlyList<SampledToken> Tokens, GenerationFinish? Finish);

/// <summary>How a generation ended, and what it used.</summary>
/// <param name="CachedTokens">Prompt tokens whose keys and values came from the prefix cache.</param>
public sealed record GenerationFinish(FinishReason Reason, int PromptTokens, int CachedTokens, int OutputTokens)
{
    /// <summary>From the request to its row.</summary>
    public TimeSpan Queued { get; init; }

    /// <summary>From the row to the first token.</summary>
    public TimeSpan Prefill { get; init; }

    /// <summary>From the first token to the end.</summary>
    public TimeSpan Decode { get; init; }

    /// <summary>How often it had to give its row back, because memory was short.</summary>
    public int Preemptions { get; init; }
}

public enum FinishReason
{
    /// <summary>An end token, a stop string, or a finished grammar.</summary>
    Stop,

    /// <summary>The maximum or the context is reached.</summary>
    Length,

    /// <summary>The caller's token was cancelled.</summary>
    Cancelled,
}
