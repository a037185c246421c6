namespace Cairn.State.Engines;

/// <summary>Something to write, and whoever waits for it.</summary>
internal abstract class Work(CancellationToken cancellationToken)
{
    /// <summary>Asked only until the work starts; then it runs to its end, so that its caller knows what became of it.</summary>
    public CancellationToken CancellationToken { get; } = cancellationToken;

    public long EnqueuedAt { get; init; }

    public abstract void Run(WriteSession session);

    public abstract void Complete();

    public abstract void Fail(Exception error);

    public abstract void Cancel();
}

internal sealed class Work<T>(Func<WriteSession, T> work, CancellationToken cancellationToken) : Work(cancellationToken)
{
    // Callers go on elsewhere: the writer's thread serves the next batch.
    private readonly TaskCompletionSource<T> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private T _result = default!;

    public Task<T> Task => _done.Task;

    public override void Run(WriteSession session) => _result = work(session);

    public override void Complete() => _done.TrySetResult(_result);

    public override void Fail(Exception error) => _done.TrySetException(error);

    public override void Cancel() => _done.TrySetCanceled(CancellationToken);
}
