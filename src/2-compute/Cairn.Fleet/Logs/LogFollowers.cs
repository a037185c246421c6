using System.Collections.Concurrent;
using System.Threading.Channels;
using Cairn.Contracts.Ids;
using Cairn.Fleet.Link;

namespace Cairn.Fleet.Logs;

/// <summary>
/// Who waits for which job's logs. A follower is told where something is new and reads it from the file, which is still in memory then: so
/// it holds no lines, cannot fall behind further than its place in the file, and costs nothing while its job is quiet.
/// </summary>
internal sealed class LogFollowers
{
    private readonly ConcurrentDictionary<JobId, LogFollower[]> _byJob = new();

    public int Count => _byJob.Values.Sum(followers => followers.Length);

    /// <summary>An attempt began, a task ended or the job ended: call it after the commit.</summary>
    public void Wake(JobId job)
    {
        if (!_byJob.TryGetValue(job, out var followers))
            return;
        foreach (var follower in followers)
            follower.JobChanged();
    }

    internal void Wake(TaskLogKey key)
    {
        if (!_byJob.TryGetValue(key.Job, out var followers))
            return;
        foreach (var follower in followers)
            follower.LogGrew(key);
    }

    internal LogFollower Follow(JobId job)
    {
        var follower = new LogFollower(this, job);
        _byJob.AddOrUpdate(job, static (_, mine) => [mine], static (_, others, mine) => [.. others, mine], follower);
        return follower;
    }

    internal void Leave(LogFollower follower)
    {
        while (_byJob.TryGetValue(follower.Job, out var held))
        {
            LogFollower[] left = [.. held.Where(f => !ReferenceEquals(f, follower))];
            var done = left.Length == 0
                ? _byJob.TryRemove(KeyValuePair.Create(follower.Job, held))
                : _byJob.TryUpdate(follower.Job, left, held);
            if (done)
                return;
        }
    }
}

/// <summary>One who follows; what is new is merged until it looks.</summary>
internal sealed class LogFollower(LogFollowers followers, JobId job) : IDisposable
{
    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly Lock _gate = new();
    private HashSet<TaskLogKey> _grown = [];
    private bool _jobChanged;

    public JobId Job => job;

    public void LogGrew(TaskLogKey key)
    {
        lock (_gate)
            _grown.Add(key);
        _wake.Writer.TryWrite(true);
    }

    public void JobChanged()
    {
        lock (_gate)
            _jobChanged = true;
        _wake.Writer.TryWrite(true);
    }

    /// <summary>Completes when there is something to take.</summary>
    public async ValueTask WaitAsync(CancellationToken cancellationToken) => await _wake.Reader.ReadAsync(cancellationToken);

    public (IReadOnlyCollection<TaskLogKey> Grown, bool JobChanged) Take()
    {
        lock (_gate)
        {
            var taken = (_grown, _jobChanged);
            (_grown, _jobChanged) = ([], false);
            return taken;
        }
    }

    public void Dispose() => followers.Leave(this);
}
