using System.Collections.Concurrent;
using Cairn.Frameworks.Engine.Batching;
using Cairn.Frameworks.Sampling;

namespace Cairn.Frameworks.Engine;

/// <summary>
/// The loop that generates: one thread, which takes what arrived and what was cancelled, plans a step, runs it, tells the readers, and
/// sleeps when there is nothing to do. A cancellation is seen before the next step.
/// </summary>
internal sealed class EngineLoop : IAsyncDisposable
{
    private readonly BatchScheduler _scheduler;
    private readonly StepRunner _runner;
    private readonly StepCosts _costs;
    private readonly TimeProvider _time;
    private readonly BatchLimits _limits;
    private readonly StepPlan _plan = new();
    private readonly ConcurrentQueue<(LiveGeneration Generation, bool Leaves)> _inbox = [];
    private readonly Dictionary<Sequence, LiveGeneration> _live = [];
    private readonly List<(LiveGeneration Generation, SampledToken Token, Exception? Error)> _said = [];
    private readonly LogitsListener _sample;
    private readonly AutoResetEvent _wake = new(false);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private EngineStatistics _statistics = new();
    private long _promptTokens;
    private long _generatedTokens;
    private long _steps;
    private int _held;
    private volatile bool _stopping;
    private volatile Exception? _fault;

    /// <param name="loaded">Its decoder becomes the loop's own.</param>
    public EngineLoop(LoadedDecoder loaded, TimeProvider time)
    {
        (_limits, _costs, _time) = (loaded.Limits, loaded.Costs, time);
        _scheduler = new BatchScheduler(loaded.Limits);
        _runner = new StepRunner(loaded.Decoder, _scheduler, _costs, time);
        _sample = Sample;
        new Thread(Run) { IsBackground = true, Name = "cairn engine" }.Start();
    }

    public EngineStatistics Statistics => Volatile.Read(ref _statistics) with
    {
        Waiting = Math.Max(0, Volatile.Read(ref _held) - Volatile.Read(ref _statistics).Running),
    };

    public Exception? Fault => _fault;

    public void Start(LiveGeneration generation, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_stopping, typeof(LanguageModel));
        if (_fault is { } fault)
            throw new EngineException($"The engine has failed and serves nothing any more: {fault.Message}", fault);
        if (Interlocked.Increment(ref _held) > _limits.QueueLimit + _limits.Rows)
        {
            Interlocked.Decrement(ref _held);
            throw new RequestRefusedException(RequestRefusal.QueueFull, $"{_limits.QueueLimit} requests wait already; try again later.");
        }
        generation.Asked = _time.GetTimestamp();
        generation.Generation.OnLeave(() => Leave(generation));
        generation.Cancellation = cancellationToken.UnsafeRegister(_ => Leave(generation), null);
        Post(generation, leaves: false);
    }

    public async ValueTask DisposeAsync()
    {
        _stopping = true;
        _wake.Set();
        await _ended.Task;
    }

    private void Leave(LiveGeneration generation)
    {
        generation.HasLeft = true;
        Post(generation, leaves: true);
    }

    private void Post(LiveGeneration generation, bool leaves)
    {
        _inbox.Enqueue((generation, leaves));
        if (_ended.Task.IsCompleted)
            FailInbox();
        else
            _wake.Set();
    }

    private void Run()
    {
        try
        {
            while (!_stopping)
            {
                TakeInbox();
                if (_live.Count > 0)
                    Step();
                else
                    Rest();
            }
        }
        catch (Exception error)
        {
            // Whatever it is, readers must hear of it, and the process must be able to tell that this model is dead.
            _fault = error;
        }
        foreach (var generation in _live.Values)
            generation.Fail(Why());
        _runner.Dispose();
        _ended.SetResult();
        FailInbox();
    }

    private void Rest()
    {
        _runner.Tidy();
        Publish();
        _wake.WaitOne();
    }

    private void TakeInbox()
    {
        while (_inbox.TryDequeue(out var message))
        {
            var (generation, leaves) = message;
            if (!leaves)
            {
                _live.Add(generation.Sequence, generation);
                if (!_scheduler.TryEnqueue(generation.Sequence))
                    throw new InvalidOperationException($"the batch refuses a request although only {_held} are held");
            }
            if (generation.HasLeft && _live.ContainsKey(generation.Sequence))
                End(generation, FinishReason.Cancelled);
        }
    }

    private void Step()
    {
        _scheduler.Plan(_costs, _plan);
        foreach (var sequence in _plan.Admitted)
            if (_live[sequence] is { Admitted: 0 } generation)
                generation.Admitted = _time.GetTimestamp();
        _said.Clear();
        _runner.Run(_plan, _sample);
        foreach (var (generation, token, error) in _said)
            Take(generation, token, error);
        _steps++;
        Publish();
    }

    // What fails for one sequence (a grammar, a sampler) ends that one.
    private void Sample(Sequence sequence, Span<float> logits)
    {
        var generation = _live[sequence];
        try
        {
            _said.Add((generation, generation.Sample(logits), null));
        }
        catch (Exception error)
        {
            _said.Add((generation, default, error));
        }
    }

    private void Take(LiveGeneration generation, SampledToken token, Exception? error)
    {
        if (generation.FirstToken == 0)
        {
            generation.FirstToken = _time.GetTimestamp();
            _promptTokens += generation.Sequence.PromptLength;
        }
        FinishReason? finish;
        try
        {
            if (error is not null)
                throw error;
            _generatedTokens++;
            finish = generation.Tell(token);
        }
        catch (Exception failed)
        {
            Remove(generation);
            generation.Fail(failed);
            return;
        }
        if (finish is { } reason)
            End(generation, reason);
        else
            _scheduler.Append(generation.Sequence, token.Token);
    }

    private void End(LiveGeneration generation, FinishReason reason)
    {
        Remove(generation);
        generation.Finish(reason, _time);
    }

    /// <summary>Before its reader hears of the end: whoever has the whole output finds it counted and its row free.</summary>
    private void Remove(LiveGeneration generation)
    {
        _scheduler.Remove(generation.Sequence);
        if (_live.Remove(generation.Sequence))
            Interlocked.Decrement(ref _held);
        Publish();
    }

    private void FailInbox()
    {
        while (_inbox.TryDequeue(out var message))
            message.Generation.Fail(Why());
    }

    private EngineException Why() => _fault is { } fault
        ? new EngineException($"The engine failed: {fault.Message}", fault)
        : new EngineException("The model was unloaded while it generated.");

    private void Publish() => Volatile.Write(ref _statistics, new EngineStatistics
    {
        Running = _scheduler.Running,
        CacheUsage = (double)_scheduler.UsedBlocks / _limits.Blocks,
        PromptTokens = _promptTokens,
        GeneratedTokens = _generatedTokens,
        PrefixQueries = _scheduler.PrefixQueries,
        PrefixHits = _scheduler.PrefixHits,
        Preemptions = _scheduler.Preemptions,
        Steps = _steps,
    });
}
