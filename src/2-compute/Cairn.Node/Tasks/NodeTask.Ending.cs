using Cairn.Contracts.Jobs;
using Cairn.Contracts.Wire;
using Cairn.Node.Native;
using Cairn.Node.Processes;

namespace Cairn.Node.Tasks;

/// <summary>How a task is ended, and why it did: signals, limits, and the reason that is reported.</summary>
internal sealed partial class NodeTask
{
    private const long LowDiskBytes = 1 << 20;

    /// <summary>Asks the task to end. The first order stands; a later one only shortens the grace.</summary>
    public void Stop(StopOrder order)
    {
        lock (_gate)
        {
            if (_record.End is not null || _record.Stop is { } earlier && earlier.GraceSeconds <= order.GraceSeconds)
                return;
            _record.Stop = _record.Stop is { } first ? first with { GraceSeconds = order.GraceSeconds } : order;
            Save(durable: false);
        }
        _stopping.Cancel();
        _pulse.Set();
    }

    /// <summary>Ends the task at once and forgets it: the server no longer wants to hear of it.</summary>
    public void Drop() => _dropping.Cancel();

    /// <summary>
    /// The supervisor wrote the end down when it came, perhaps while no daemon was there to see it. The file has the wall clock's time,
    /// which may have been set since, so it is believed only between the begin of run and now.
    /// </summary>
    private void MarkRunEnded()
    {
        if (_record.RunEnded != 0)
            return;
        var now = _node.Clock.GetTimestamp();
        var ago = _folder.StepEndedAt("run") is { } at ? _node.Clock.GetUtcNow().UtcDateTime - at : TimeSpan.Zero;
        lock (_gate)
        {
            _record.RunEnded = Math.Clamp(now - (long)(ago.TotalSeconds * _node.Clock.TimestampFrequency), _record.RunStarted, now);
            Save(durable: false);
        }
    }

    private TaskEnd EndOf(string step, StepExit? exit)
    {
        if (_record.Stop is { } stop)
            return new TaskEnd(stop.Reason, stop.Message, exit?.Code, exit?.Signal);
        if (exit is null)
            return new TaskEnd(EndReasons.Unknown, "the process that watched over the task vanished, so nobody knows how it ended");
        if (_cgroups.OutOfMemoryKills() > 0 && !exit.Value.IsSuccess)
            return new TaskEnd(EndReasons.OutOfMemory, $"a process of {step} was killed at the limit of {_start.MemoryBytes} bytes of memory",
                exit.Value.Code, exit.Value.Signal);
        if (!exit.Value.IsSuccess && Facts.MachineFacts.FreeDisk(_node.WorkRoot) < LowDiskBytes)
            return new TaskEnd(EndReasons.OutOfDisk, $"{step} ended with {exit} and the node's disk is full", exit.Value.Code, exit.Value.Signal);
        return (step, exit.Value) switch
        {
            ("setup", var failed) => new TaskEnd(EndReasons.SetupFailed, $"setup ended with {failed}", failed.Code, failed.Signal),
            (_, { Code: 0 }) => new TaskEnd(EndReasons.Succeeded, "", 0),
            (_, { Code: { } code }) => new TaskEnd(EndReasons.ExitCode, $"run ended with exit code {code}", code),
            (_, var killed) => new TaskEnd(EndReasons.Signal, $"run was ended by signal {killed.Signal}", null, killed.Signal),
        };
    }

    /// <summary>Stops the task at its time limit, and where its lease could not be renewed in time.</summary>
    private async Task WatchLimitsAsync(CancellationToken cancellationToken)
    {
        while (_record.End is null)
        {
            var now = _node.Clock.GetTimestamp();
            var lease = _start.LeaseSeconds > 0 ? Interlocked.Read(ref _renewed) + Ticks(_start.LeaseSeconds) : long.MaxValue;
            var duration = _start.MaxDurationSeconds > 0 && _record.RunStarted > 0 ? _record.RunStarted + Ticks(_start.MaxDurationSeconds) : long.MaxValue;
            if (now >= lease)
                Stop(new StopOrder(EndReasons.LeaseExpired,
                    $"the control plane did not renew the lease within {_start.LeaseSeconds} s", Math.Min(_start.StopGraceSeconds, 10)));
            if (now >= duration)
                Stop(new StopOrder(EndReasons.MaxDuration, $"the task ran for {_start.MaxDurationSeconds} s", _start.StopGraceSeconds));
            if (_record.Stop is not null)
                return;
            var left = Math.Min(lease, duration) == long.MaxValue ? s_limitCheck
                : TimeSpan.FromSeconds((Math.Min(lease, duration) - now) / (double)_node.Clock.TimestampFrequency + 0.001);
            await Task.Delay(left < s_limitCheck ? left : s_limitCheck, _node.Clock, cancellationToken);
        }
    }

    /// <summary>A limit may come up while nothing is due, such as the time limit when run begins.</summary>
    private static readonly TimeSpan s_limitCheck = TimeSpan.FromSeconds(1);

    private long Ticks(long seconds) => seconds * _node.Clock.TimestampFrequency;

    /// <summary>Nothing of a task outlives its run, whatever it left in the background.</summary>
    private async Task CleanUpProcessesAsync(CancellationToken cancellationToken)
    {
        await KillAllAsync(cancellationToken);
        _cgroups.Remove();
        // The supervisor says when the last output is in the files; one that vanished cannot.
        var since = _node.Clock.GetTimestamp();
        while (!_folder.IsDrained && _record.Launched && _node.Clock.GetElapsedTime(since) < s_drainTime)
        {
            var isWatched = _folder.Supervisor() is { } supervisor && supervisor.IsAlive();
            if (!isWatched && _node.Clock.GetElapsedTime(since) > s_unwatchedDrainTime)
                return;
            await _pulse.WaitAsync(TimeSpan.FromMilliseconds(isWatched ? 500 : 20), _node.Clock, cancellationToken);
        }
    }

    private static readonly TimeSpan s_drainTime = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan s_unwatchedDrainTime = TimeSpan.FromMilliseconds(200);

    /// <summary>Kills the step with all its processes; the supervisor stays and writes down how it ended.</summary>
    private async Task KillStepAsync(CancellationToken cancellationToken) => await KillAsync(_folder.Supervisor()?.Id ?? 0, cancellationToken);

    private async Task KillAllAsync(CancellationToken cancellationToken)
    {
        var isOver = _folder.StepExit("run") is not null || _folder.StepExit("setup") is { IsSuccess: false };
        var spared = isOver && _folder.Supervisor() is { } supervisor ? supervisor.Id : 0;
        await KillAsync(spared, cancellationToken);
    }

    /// <summary>Kills until nobody is left: a process that forks while it is looked for is found in the next round.</summary>
    private async Task KillAsync(int spared, CancellationToken cancellationToken)
    {
        for (var round = 0; round < 50; round++)
        {
            var found = Find().Where(id => id != spared).ToList();
            if (found.Count == 0)
                return;
            _cgroups.TryKill();
            foreach (var id in found)
                _ = Posix.Kill(id, Posix.SigKill);
            await Task.Delay(TimeSpan.FromMilliseconds(Math.Min(1 << round, 100)), TimeProvider.System, cancellationToken);
        }
        LogUnkillable(_node.Logger, Id);
    }

    /// <summary>
    /// A process cannot leave a cgroup without being root, so where tasks are not root their cgroup lists them all. Elsewhere they are
    /// found by session and by the task's id in their environment.
    /// </summary>
    private List<int> Find()
    {
        if (_cgroups.Folders.Count > 0 && _user.Id is > 0)
            return [.. _cgroups.Processes(), .. _folder.Supervisor() is { } supervisor && supervisor.IsAlive() ? [supervisor.Id] : Array.Empty<int>()];
        var session = (_folder.StepProcess("run") ?? _folder.StepProcess("setup"))?.Id ?? 0;
        return [.. ProcessTree.Find(session, Id).Union(_cgroups.Processes())];
    }
}
