namespace Cairn.Frameworks.Engine.Tensors;

/// <summary>How often something happened and how long it took altogether.</summary>
internal readonly record struct DurationCount(ulong Count, ulong Nanoseconds)
{
    public DurationCount Plus(ulong count, TimeSpan time) => new(Count + count, Nanoseconds + ((ulong)Math.Max(time.Ticks, 0) * 100));
}

/// <summary>The phases of one execution.</summary>
internal readonly record struct ExecutionTimes(TimeSpan Input, TimeSpan Infer, TimeSpan Output);

/// <summary>Executions with one batch size.</summary>
internal sealed record BatchCounts(ulong Rows, DurationCount Input, DurationCount Infer, DurationCount Output);

/// <summary>A consistent copy of a version's counters, with Triton's meaning of each.</summary>
internal sealed record StatisticsSnapshot
{
    /// <summary>Milliseconds since the epoch; 0 before the first.</summary>
    public long LastInference { get; init; }

    /// <summary>Rows of successful requests.</summary>
    public ulong Inferences { get; init; }
    public ulong Executions { get; init; }
    public DurationCount Success { get; init; }
    public DurationCount Fail { get; init; }
    public DurationCount Queue { get; init; }
    public DurationCount Input { get; init; }
    public DurationCount Infer { get; init; }
    public DurationCount Output { get; init; }
    public IReadOnlyList<BatchCounts> Batches { get; init; } = [];
    public int Pending { get; init; }
}

/// <summary>Counts what a version does.</summary>
internal sealed class VersionStatistics(TimeProvider time)
{
    // Batch sizes are bounded by the configuration, except where a model has no batch dimension; those all count as 1.
    private const int SizesKept = 1024;

    private readonly Lock _lock = new();
    private readonly SortedDictionary<ulong, BatchCounts> _batches = [];
    private StatisticsSnapshot _state = new();
    private int _pending;

    public StatisticsSnapshot Snapshot()
    {
        lock (_lock)
            return _state with { Batches = [.. _batches.Values], Pending = Volatile.Read(ref _pending) };
    }

    public void Entered() => Interlocked.Increment(ref _pending);

    public void Left() => Interlocked.Decrement(ref _pending);

    public void Failed(TimeSpan total)
    {
        lock (_lock)
            _state = _state with { Fail = _state.Fail.Plus(1, total), LastInference = Now() };
    }

    /// <summary>An execution of <paramref name="rows"/> rows succeeded for requests that waited and took so long.</summary>
    public void Executed(int rows, ReadOnlySpan<(TimeSpan Queued, TimeSpan Total, int Rows)> requests, ExecutionTimes times)
    {
        lock (_lock)
        {
            var state = _state;
            var (success, queue) = (state.Success, state.Queue);
            var inferences = state.Inferences;
            foreach (var request in requests)
            {
                success = success.Plus(1, request.Total);
                queue = queue.Plus(1, request.Queued);
                inferences += (ulong)request.Rows;
            }

            var count = (ulong)requests.Length;
            _state = state with
            {
                LastInference = Now(),
                Success = success,
                Queue = queue,
                Inferences = inferences,
                Executions = state.Executions + 1,
                // Every request took part in the whole execution.
                Input = state.Input.Plus(count, times.Input * count),
                Infer = state.Infer.Plus(count, times.Infer * count),
                Output = state.Output.Plus(count, times.Output * count),
            };
            CountBatch((ulong)rows, times);
        }
    }

    private void CountBatch(ulong rows, ExecutionTimes times)
    {
        if (!_batches.TryGetValue(rows, out var batch))
        {
            if (_batches.Count >= SizesKept)
                return;
            batch = new(rows, default, default, default);
        }

        _batches[rows] = batch with
        {
            Input = batch.Input.Plus(1, times.Input),
            Infer = batch.Infer.Plus(1, times.Infer),
            Output = batch.Output.Plus(1, times.Output),
        };
    }

    private long Now() => time.GetUtcNow().ToUnixTimeMilliseconds();
}
