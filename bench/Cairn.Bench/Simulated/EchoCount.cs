using System.Collections.Concurrent;

namespace Cairn.Bench.Simulated;

/// <summary>What all simulated daemons of a load have seen: which tasks were started, and how many ends the server has made durable.</summary>
internal sealed class EchoCount
{
    /// <summary>The number of a task's last report.</summary>
    public const int LastReport = 3;

    private readonly ConcurrentDictionary<string, int> _starts = new(StringComparer.Ordinal);
    private TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _target = long.MaxValue;
    private long _ended;
    private long _logs;
    private long _stale;

    public long EndedTasks => Volatile.Read(ref _ended);

    public long KeptLogs => Volatile.Read(ref _logs);

    public long StaleAnswers => Volatile.Read(ref _stale);

    public int StartedTasks => _starts.Count;

    /// <summary>Tasks that were started more than once: must be none.</summary>
    public int StartedTwice => _starts.Values.Count(starts => starts > 1);

    /// <summary>Completes when so many ends are durable, counted from the beginning.</summary>
    public Task WhenEnded(long tasks)
    {
        _reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Volatile.Write(ref _target, tasks);
        if (EndedTasks >= tasks)
            _reached.TrySetResult();
        return _reached.Task;
    }

    public void Started(string task) => _starts.AddOrUpdate(task, 1, (_, starts) => starts + 1);

    public void Ended()
    {
        if (Interlocked.Increment(ref _ended) >= Volatile.Read(ref _target))
            _reached.TrySetResult();
    }

    public void LogKept() => Interlocked.Increment(ref _logs);

    public void Stale() => Interlocked.Increment(ref _stale);
}
