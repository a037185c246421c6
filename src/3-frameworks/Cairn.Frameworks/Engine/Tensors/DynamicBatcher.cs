using System.Diagnostics;

namespace Cairn.Frameworks.Engine.Tensors;

/// <summary>
/// Queues one version's requests and executes the batches that <see cref="BatchDecision"/> forms. Each instance is a thread of its own: an
/// execution blocks in native code, and the web host's threads are few.
/// </summary>
internal sealed class DynamicBatcher : IAsyncDisposable
{
    private readonly object _gate = new();
    private readonly BatchExecution _execution;
    private readonly VersionStatistics _statistics;
    private readonly TimeProvider _time;
    private readonly long _origin;
    private readonly ITimer _wake;
    private readonly List<Task> _instances = [];

    // One list for the decision and one for the executor, index by index.
    private List<Waiting> _waiting = [];
    private List<QueuedRequest> _queued = [];
    private BatchingPolicy _policy;
    private bool _closed;

    public DynamicBatcher(BatchExecution execution, BatchingPolicy policy, int instances, VersionStatistics statistics, TimeProvider time)
    {
        (_execution, _policy, _statistics, _time) = (execution, policy, statistics, time);
        _origin = time.GetTimestamp();
        _wake = time.CreateTimer(static state => ((DynamicBatcher)state!).Wake(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        // Overlapping executions could finish out of order.
        for (var i = 0; i < (policy.PreserveOrder ? 1 : instances); i++)
            _instances.Add(StartInstance());
    }

    /// <summary>Waits for its turn and its answer. The request's memory is free again when the task ends, cancelled or not.</summary>
    public async Task<InferenceAnswer> InferAsync(InferenceRequest request, int rows, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var queued = new QueuedRequest(request, rows, _time.GetTimestamp());
        if (Enqueue(queued) is { } refusal)
        {
            _statistics.Failed(_time.GetElapsedTime(queued.Arrived));
            return new(null, refusal);
        }

        await using var registration = cancellationToken.UnsafeRegister(
            static (state, token) => ((Abandonment)state!).Invoke(token), new Abandonment(this, queued));
        return await queued.Answer;
    }

    /// <summary>Executes what is queued and refuses what comes.</summary>
    public async ValueTask DisposeAsync()
    {
        lock (_gate)
        {
            _closed = true;
            _policy = _policy with { DelayMicroseconds = 0 };
            Monitor.PulseAll(_gate);
        }

        await Task.WhenAll(_instances);
        await _wake.DisposeAsync();
    }

    private Task StartInstance()
    {
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var thread = new Thread(() =>
        {
            try
            {
                ExecuteUntilClosed();
                ended.SetResult();
            }
            catch (Exception failure)
            {
                ended.SetException(failure);
                throw;
            }
        })
        { IsBackground = true, Name = "tensors" };
        thread.Start();
        return ended.Task;
    }

    private void ExecuteUntilClosed()
    {
        var buffer = Array.Empty<byte>();
        while (Take() is { } batch)
        {
            if (!_execution.Run(batch, ref buffer))
                lock (_gate)
                    _policy = _policy with { Combine = false };
        }
    }

    private Refusal? Enqueue(QueuedRequest queued)
    {
        var request = queued.Request;
        lock (_gate)
        {
            if (_closed)
                return new(RefusalKind.Unavailable, "the model is being unloaded");
            var priority = request.Priority == 0 || request.Priority > _policy.PriorityLevels ? _policy.DefaultPriority : request.Priority;
            var queue = _policy.QueueOf(priority);
            if (queue.MaxQueueSize > 0 ? InLevel(priority) >= queue.MaxQueueSize : _queued.Count >= _policy.QueueLimit)
                return new(RefusalKind.QueueFull, $"the queue of {_queued.Count} requests is full; try again");
            var now = Microseconds(queued.Arrived);
            var timeout = queue.DefaultTimeoutMicroseconds;
            if (queue.AllowTimeoutOverride && request.TimeoutMicroseconds > 0 && (timeout == 0 || request.TimeoutMicroseconds < timeout))
                timeout = request.TimeoutMicroseconds;
            var deadline = timeout == 0 ? long.MaxValue : now + (long)Math.Min(timeout, 1UL << 50);
            var delays = queue.TimeoutAction == OpenInference.Wire.ModelQueuePolicy.Types.TimeoutAction.Delay;
            _waiting.Add(new(priority, new ShapeKey(request.Inputs), queued.Rows, now, deadline, delays));
            _queued.Add(queued);
            _statistics.Entered();
            Monitor.Pulse(_gate);
            return null;
        }
    }

    private uint InLevel(ulong priority)
    {
        var count = 0u;
        foreach (var waiting in _waiting)
            count += waiting.Priority == priority ? 1u : 0u;
        return count;
    }

    /// <summary>The next batch; null when the batcher is closed and empty.</summary>
    private List<QueuedRequest>? Take()
    {
        lock (_gate)
        {
            while (true)
            {
                if (_queued.Count == 0 && _closed)
                    return null;
                if (_queued.Count > 0)
                {
                    var plan = BatchDecision.Decide(_waiting, _policy, Microseconds(_time.GetTimestamp()));
                    foreach (var index in plan.Expired)
                        Expire(_queued[index]);
                    var batch = plan.Batch.Select(index => _queued[index]).ToList();
                    Remove(plan);
                    if (batch.Count > 0)
                    {
                        foreach (var queued in batch)
                            queued.IsRunning = true;
                        // Another instance may start on what is left.
                        if (_queued.Count > 0)
                            Monitor.Pulse(_gate);
                        return batch;
                    }

                    if (plan.WakeMicroseconds != long.MaxValue)
                        _wake.Change(Until(plan.WakeMicroseconds), Timeout.InfiniteTimeSpan);
                    if (plan.Expired.Count > 0)
                        continue;
                }

                Monitor.Wait(_gate);
            }
        }
    }

    private void Expire(QueuedRequest queued)
    {
        _statistics.Left();
        _statistics.Failed(_time.GetElapsedTime(queued.Arrived));
        queued.Set(InferenceAnswer.No(RefusalKind.TimedOut, "the request waited longer than its timeout"));
    }

    private void Remove(BatchPlan plan)
    {
        var gone = plan.Batch.Count + plan.Expired.Count;
        if (gone == 0)
            return;
        if (gone == _queued.Count)
        {
            _waiting.Clear();
            _queued.Clear();
            return;
        }

        var leaves = new bool[_queued.Count];
        foreach (var index in plan.Batch)
            leaves[index] = true;
        foreach (var index in plan.Expired)
            leaves[index] = true;
        Debug.Assert(leaves.Count(leaving => leaving) == gone, "a request is in one plan once");
        _waiting = [.. _waiting.Where((_, index) => !leaves[index])];
        _queued = [.. _queued.Where((_, index) => !leaves[index])];
    }

    private void Abandon(QueuedRequest queued, CancellationToken token)
    {
        lock (_gate)
        {
            var index = queued.IsRunning ? -1 : _queued.IndexOf(queued);
            if (index < 0)
                return;
            _queued.RemoveAt(index);
            _waiting.RemoveAt(index);
        }

        _statistics.Left();
        queued.Cancel(token);
    }

    private void Wake()
    {
        lock (_gate)
            Monitor.PulseAll(_gate);
    }

    private long Microseconds(long timestamp) => _time.GetElapsedTime(_origin, timestamp).Ticks / 10;

    private TimeSpan Until(long microseconds)
    {
        // Timers count in whole milliseconds; a microsecond early would only wake for nothing.
        var wait = Math.Max(microseconds - Microseconds(_time.GetTimestamp()), 0);
        return TimeSpan.FromMilliseconds(Math.Min((wait + 999) / 1000, int.MaxValue));
    }

    private sealed record Abandonment(DynamicBatcher Batcher, QueuedRequest Request)
    {
        public void Invoke(CancellationToken token) => Batcher.Abandon(Request, token);
    }
}
