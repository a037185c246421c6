namespace Cairn.Frameworks.Engine.Tensors;

/// <summary>A request with its place in the queue.</summary>
internal sealed class QueuedRequest(InferenceRequest request, int rows, long arrived)
{
    private readonly TaskCompletionSource<InferenceAnswer> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public InferenceRequest Request { get; } = request;

    public int Rows { get; } = rows;

    /// <summary>The clock's timestamp.</summary>
    public long Arrived { get; } = arrived;

    public Task<InferenceAnswer> Answer => _answer.Task;

    /// <summary>Guarded by the batcher's gate.</summary>
    public bool IsRunning { get; set; }

    public void Set(InferenceAnswer answer) => _answer.TrySetResult(answer);

    public void Cancel(CancellationToken token) => _answer.TrySetCanceled(token);
}
