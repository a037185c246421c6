using System.Runtime.ExceptionServices;
using System.Threading.Tasks.Sources;

namespace Cairn.Frameworks.Engine;

/// <summary>
/// Pieces on their way from the loop, which never waits, to one reader, which may. Bounded, so that a slow reader costs bounded memory.
/// </summary>
/// <param name="lag">Pieces that may be unread.</param>
/// <param name="inline">
/// Whether a reader that waits is run by the thread that writes, before the write returns. The last piece and the end are told by another
/// thread all the same: what follows them may take long.
/// </param>
internal sealed class PieceQueue(int lag, bool inline) : IValueTaskSource<bool>
{
    private readonly Lock _lock = new();
    private readonly Queue<GenerationPiece> _pieces = [];
    private ManualResetValueTaskSourceCore<bool> _wake;
    private bool _waits;
    private bool _completed;
    private Exception? _error;

    /// <returns>False where the reader is too far behind, or all was said.</returns>
    public bool TryWrite(in GenerationPiece piece)
    {
        lock (_lock)
        {
            if (_completed || _pieces.Count == lag)
                return false;
            _pieces.Enqueue(piece);
        }
        Wake(inline && piece.Finish is null);
        return true;
    }

    /// <summary>Nothing more comes. What was written can still be read; then the reader gets the error, where there is one.</summary>
    public void Complete(Exception? error)
    {
        lock (_lock)
        {
            if (_completed)
                return;
            (_completed, _error) = (true, error);
        }
        Wake(inline: false);
    }

    /// <summary>Lets a reader that waits look again, as one whose token was cancelled has to.</summary>
    public void Wake() => Wake(inline: false);

    public bool TryRead(out GenerationPiece piece)
    {
        lock (_lock)
            return _pieces.TryDequeue(out piece);
    }

    /// <summary>Waits until there is a piece to look for. For one reader at a time; whoever cancels its token calls <see cref="Wake()"/>.</summary>
    /// <returns>False where all is read and nothing more comes.</returns>
    public ValueTask<bool> WaitAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            // Under the lock: a cancellation that is not seen here finds the reader waiting.
            cancellationToken.ThrowIfCancellationRequested();
            if (_pieces.Count > 0)
                return new(true);
            if (_completed)
            {
                if (_error is not null)
                    ExceptionDispatchInfo.Throw(_error);
                return new(false);
            }
            _wake.Reset();
            _waits = true;
            return new(this, _wake.Version);
        }
    }

    bool IValueTaskSource<bool>.GetResult(short token) => _wake.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<bool>.GetStatus(short token) => _wake.GetStatus(token);

    void IValueTaskSource<bool>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _wake.OnCompleted(continuation, state, token, flags);

    // Only who finds it waiting wakes it, and it waits anew only after it woke.
    private void Wake(bool inline)
    {
        lock (_lock)
        {
            if (!_waits)
                return;
            _waits = false;
        }
        _wake.RunContinuationsAsynchronously = !inline;
        _wake.SetResult(true);
    }
}
