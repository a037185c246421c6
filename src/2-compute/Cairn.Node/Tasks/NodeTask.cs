using Cairn.Contracts.Jobs;
using Cairn.Contracts.Wire;
using Cairn.Node.Logs;
using Cairn.Node.Native;
using Cairn.Node.Processes;

namespace Cairn.Node.Tasks;

/// <summary>
/// One task of this node from its command to the last acknowledgement. The whole life is one method that looks at what is already on disk
/// before each step, so a daemon that starts again runs the same method and adopts whatever is there:
/// (1) prepare the files, (2) start the supervisor, (3) setup, (4) the barrier, (5) run, (6) collect outputs, (7) report the end,
/// (8) wait until the server has everything, (9) delete.
/// </summary>
internal sealed partial class NodeTask : IDisposable
{
    private readonly NodeSurroundings _node;
    private readonly TaskFolder _folder;
    private readonly TaskRecord _record;
    private readonly StartTask _start;
    private readonly TaskLog _log;
    private readonly TaskUser _user;
    private readonly TaskCgroups _cgroups;
    private readonly Pulse _pulse = new();
    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly CancellationTokenSource _dropping = new();
    private BeginTask? _begin;
    private long _renewed;
    private int _watch = -1;

    private NodeTask(NodeSurroundings node, StartTask start, TaskFolder folder, TaskRecord record)
    {
        (_node, _start, _folder, _record) = (node, start, folder, record);
        _user = record.User is { } user ? new TaskUser(user, record.Group) : TaskUser.Self;
        _cgroups = node.Cgroups.For(record.TaskId);
        _renewed = node.Leases.Of(record.TaskId) ?? record.Assigned;
        _log = new TaskLog(
            new TaskLogSource(record.TaskId, record.Epoch, folder.Log, folder.RawOut, folder.RawError, node.Options.LogBytesPerTask),
            node.Clock, node.Link.Send)
        {
            IdleDelay = node.Watch.IsWorking ? TimeSpan.FromSeconds(2) : TimeSpan.FromMilliseconds(100),
        };
    }

    public string Id => _record.TaskId;

    public string JobId => _start.JobId;

    public long Epoch => _record.Epoch;

    public TaskPhase Phase => _record.Phase;

    /// <summary>Whether it holds, or will hold, resources of the node.</summary>
    public bool IsLive => _record.Phase is not TaskPhase.Ended;

    public long LogBytes => _log.Length;

    public string WorkFolder => _folder.Work;

    /// <summary>The port that a service listens on; 0 where it is none.</summary>
    public int ServicePort => _start.ServicePort;

    /// <summary>Where the service speaks gRPC; 0 where it does not.</summary>
    public int ServiceGrpcPort => _start.ServiceGrpcPort;

    public long DiskLimitBytes => _start.DiskBytes;

    /// <summary>Makes a task of a new command; its record is on disk when this returns.</summary>
    public static NodeTask Create(NodeSurroundings node, StartTask start)
    {
        var folder = new TaskFolder(node.ControlRoot, node.WorkRoot, start.TaskId);
        var user = node.Users.Take();
        var record = new TaskRecord
        {
            TaskId = start.TaskId,
            Epoch = start.Epoch,
            BootId = node.BootId,
            User = user.Id,
            Group = user.Group,
            Assigned = node.Clock.GetTimestamp(),
            HasSecrets = start.Secrets.Count > 0,
        };
        folder.Create(start, record);
        var task = new NodeTask(node, start, folder, record);
        task.Report(TaskPhase.Assigned);
        return task;
    }

    /// <summary>
    /// Takes up a task that an earlier daemon left. Null where it had not begun and had secrets: those were in that daemon's memory alone,
    /// so the task is given up without a word, and the server, which misses it at the next handshake, sends the command again.
    /// </summary>
    public static NodeTask? Load(NodeSurroundings node, string taskId)
    {
        var folder = new TaskFolder(node.ControlRoot, node.WorkRoot, taskId);
        var record = TaskRecord.Read(folder.Record);
        if (record is { HasSecrets: true, End: null } && folder.Supervisor() is null)
        {
            folder.DeleteAll();
            return null;
        }
        var task = new NodeTask(node, folder.ReadSpec(), folder, record);
        node.Users.Keep(task._user);
        return task;
    }

    /// <summary>Lives the whole life. Cancelling leaves the processes running and everything on disk for the next daemon.</summary>
    public async Task RunAsync(CancellationToken daemonStops)
    {
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(daemonStops, _dropping.Token);
        WatchFolder();
        var logging = _log.RunAsync(ends.Token);
        var limits = WatchLimitsAsync(ends.Token);
        try
        {
            if (_record.End is null)
            {
                var end = await LiveAsync(ends.Token);
                await CleanUpProcessesAsync(ends.Token);
                _log.End();
                var length = await _log.Complete.WaitAsync(ends.Token);
                end = await CollectAsync(end, ends.Token);
                Finish(end, length);
            }
            _log.End();
            await _log.Delivered.WaitAsync(ends.Token);
            while (HasUnacknowledged())
                await _pulse.WaitAsync(Timeout.InfiniteTimeSpan, _node.Clock, ends.Token);
        }
        catch (OperationCanceledException) when (_dropping.IsCancellationRequested && !daemonStops.IsCancellationRequested)
        {
            await KillAllAsync(CancellationToken.None);
        }
        finally
        {
            _node.Watch.Remove(_watch);
            await ends.CancelAsync();
            await Task.WhenAll(logging, limits).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        Delete();
    }

    /// <summary>The token sources stay: a late command may still cancel them, and they hold nothing.</summary>
    public void Dispose() => _log.Dispose();

    private async Task<TaskEnd> LiveAsync(CancellationToken cancellationToken)
    {
        if (_record.BootId != _node.BootId)
            return new TaskEnd(EndReasons.Unknown, "the machine was restarted while the task was on it");
        if (_folder.Supervisor() is null && await StartAsync(cancellationToken) is { } failed)
            return failed;

        var setup = await StepAsync("setup", cancellationToken);
        if (setup is not { IsSuccess: true })
            return EndOf("setup", setup);

        if (_start.Barrier && await PassBarrierAsync(cancellationToken) is { } stopped)
            return stopped;

        if (_record.RunStarted == 0)
        {
            _record.RunStarted = _node.Clock.GetTimestamp();
            if (_record.Phase != TaskPhase.Stopping)
                Report(TaskPhase.Running);
            _pulse.Set();
        }
        using var runEnds = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var checkpoints = StoreCheckpointsAsync(runEnds.Token, cancellationToken);
        var exit = await StepAsync("run", cancellationToken);
        MarkRunEnded();
        await runEnds.CancelAsync();
        await checkpoints;
        return EndOf("run", exit);
    }

    private void WatchFolder()
    {
        var folder = _folder.Control;
        _ = _node.Watch.TryAdd(folder, name =>
        {
            if (name.EndsWith(".raw", StringComparison.Ordinal) || name.Length == 0)
                _log.Poke();
            if (!name.EndsWith(".raw", StringComparison.Ordinal))
                _pulse.Set();
        }, out _watch);
    }

    private void Delete()
    {
        _cgroups.Remove();
        _folder.DeleteAll();
        _node.Leases.Forget(Id);
        _node.Users.Release(_user);
    }
}
