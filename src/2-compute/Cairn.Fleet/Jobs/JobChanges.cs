using System.Collections.Concurrent;
using Cairn.Contracts.Ids;

namespace Cairn.Fleet.Jobs;

/// <summary>
/// Wakes who waits for a job to change. Take the task first, read the rows, then wait: a change in between is not missed.
/// </summary>
internal sealed class JobChanges
{
    private readonly ConcurrentDictionary<JobId, TaskCompletionSource> _waiting = new();

    /// <summary>Told of every change of a job that became durable. Must be short.</summary>
    public event Action<JobId>? Published;

    /// <summary>Completes with the next change of the job that becomes durable.</summary>
    public Task Next(JobId job) =>
        _waiting.GetOrAdd(job, static _ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;

    public void Publish(JobId job)
    {
        if (_waiting.TryRemove(job, out var waiting))
            waiting.TrySetResult();
        Published?.Invoke(job);
    }
}
