using System.Collections.Concurrent;
using Cairn.Contracts.Ids;
using Cairn.Contracts.Jobs;
using Cairn.Contracts.Wire;
using Cairn.Node.Durable;
using Microsoft.Extensions.Logging;

namespace Cairn.Node.Tasks;

/// <summary>
/// The tasks of this node, and the rules by which commands reach them: a command is idempotent by task and epoch, an older epoch is
/// refused.
/// </summary>
internal sealed partial class TaskTable(NodeSurroundings node, FinishedTasks finished)
{
    private readonly ConcurrentDictionary<string, NodeTask> _tasks = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Task> _lives = new(StringComparer.Ordinal);
    private readonly TaskCompletionSource _faulted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _serviceSeen = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private CancellationToken _daemonStops;

    public IEnumerable<NodeTask> All => _tasks.Values;

    /// <summary>Completes with an error where a task's life broke in a way that is the daemon's fault.</summary>
    public Task Faulted => _faulted.Task;

    /// <summary>Completes once the node was given a task that is a service.</summary>
    public Task ServiceSeen => _serviceSeen.Task;

    /// <summary>The ports of the service that this live task is, gRPC's being 0 where it speaks none; null where it is none, or not here.</summary>
    public (int Http, int Grpc)? ServicePortsOf(TaskId id) =>
        _tasks.TryGetValue(id.ToString(), out var task) && task is { IsLive: true, ServicePort: > 0 } ? (task.ServicePort, task.ServiceGrpcPort) : null;

    /// <summary>Takes up what an earlier daemon left. A folder without a record is the rest of a deletion and is swept.</summary>
    public void TakeUp(CancellationToken daemonStops)
    {
        _daemonStops = daemonStops;
        foreach (var folder in Directory.EnumerateDirectories(node.ControlRoot))
        {
            var id = Path.GetFileName(folder);
            try
            {
                if (File.Exists(Path.Combine(folder, "record.json")))
                    TakeUp(NodeTask.Load(node, id));
                else
                    FileTree.Delete(folder);
            }
            catch (Exception e) when (e is IOException or System.Text.Json.JsonException or Google.Protobuf.InvalidProtocolBufferException)
            {
                LogUnreadable(node.Logger, folder, e.Message);
                Directory.Move(folder, folder + ".unreadable");
            }
        }
    }

    private void TakeUp(NodeTask? task)
    {
        if (task is not null)
            Live(task);
    }

    public void Start(StartTask start)
    {
        if (!Guid.TryParse(start.TaskId, out _) || !Guid.TryParse(start.JobId, out _) || finished.Covers(start.TaskId, start.Epoch))
        {
            Refuse(start, "this attempt is over on this node");
            return;
        }
        if (_tasks.TryGetValue(start.TaskId, out var held))
        {
            if (held.Epoch > start.Epoch)
                Refuse(start, $"the node holds epoch {held.Epoch} of the task");
            else if (held.Epoch < start.Epoch)
                _ = ReplaceAsync(held, start);
            return;
        }
        try
        {
            Live(NodeTask.Create(node, start));
        }
        catch (IOException e)
        {
            FileTree.Delete(Path.Combine(node.ControlRoot, start.TaskId));
            Refuse(start, e.Message, e.HResult == NoSpace ? EndReasons.OutOfDisk : EndReasons.StartFailed);
        }
    }

    /// <summary>The task that a command is for; null where the node does not hold it under this epoch.</summary>
    public NodeTask? Find(string taskId, long epoch) => _tasks.TryGetValue(taskId, out var task) && task.Epoch == epoch ? task : null;

    public void Drop(string taskId)
    {
        if (_tasks.TryGetValue(taskId, out var task))
            task.Drop();
    }

    /// <summary>Ends all tasks at once and returns when nothing of them is left.</summary>
    public async Task DropAllAsync()
    {
        foreach (var task in _tasks.Values)
            task.Drop();
        await AllEndedAsync();
    }

    public Task AllEndedAsync() => Task.WhenAll(_lives.Values);

    private void Live(NodeTask task)
    {
        _tasks[task.Id] = task;
        if (task.ServicePort > 0)
            _serviceSeen.TrySetResult();
        _lives[task.Id] = Task.Run(() => LiveAsync(task));
    }

    private async Task LiveAsync(NodeTask task)
    {
        try
        {
            var life = task;
            while (life is not null && !await TryLiveAsync(life))
                life = await TakeUpAgainAsync(task.Id);
            // One that was given up before it began may be sent again.
            if (life is not null)
                finished.Add(task.Id, task.Epoch);
            _tasks.TryRemove(task.Id, out _);
        }
        catch (OperationCanceledException) when (_daemonStops.IsCancellationRequested)
        {
        }
        catch (Exception e)
        {
            LogBroken(node.Logger, task.Id, e);
            _faulted.TrySetException(e);
        }
        finally
        {
            _lives.TryRemove(task.Id, out _);
        }
    }

    private async Task<bool> TryLiveAsync(NodeTask task)
    {
        try
        {
            await task.RunAsync(_daemonStops);
            return true;
        }
        catch (IOException e)
        {
            LogTakenUpAgain(node.Logger, task.Id, e.Message);
            return false;
        }
        finally
        {
            task.Dispose();
        }
    }

    /// <summary>After a full disk, say, the task's life goes on from what is there, as it would under a new daemon.</summary>
    private async Task<NodeTask?> TakeUpAgainAsync(string taskId)
    {
        while (true)
        {
            await Task.Delay(TimeSpan.FromSeconds(1), node.Clock, _daemonStops);
            try
            {
                if (NodeTask.Load(node, taskId) is not { } task)
                    return null;
                _tasks[taskId] = task;
                task.Reattached();
                return task;
            }
            catch (IOException e)
            {
                LogTakenUpAgain(node.Logger, taskId, e.Message);
            }
        }
    }

    private async Task ReplaceAsync(NodeTask held, StartTask start)
    {
        held.Drop();
        if (_lives.TryGetValue(start.TaskId, out var life))
            await life;
        if (!_daemonStops.IsCancellationRequested)
            Start(start);
    }

    private const int NoSpace = 28;

    private void Refuse(StartTask start, string why, string reason = EndReasons.Superseded) => node.Link.Send(new NodeMessage
    {
        Report = new TaskReport
        {
            TaskId = start.TaskId,
            Epoch = start.Epoch,
            Sequence = 1,
            Phase = TaskPhase.Ended,
            EndReason = reason,
            Message = why,
        },
    });

    [LoggerMessage(Level = LogLevel.Error, Message = "The task folder {Folder} cannot be read ({Problem}); it was set aside")]
    private static partial void LogUnreadable(ILogger logger, string folder, string problem);

    [LoggerMessage(Level = LogLevel.Error, Message = "Task {Task} could not go on ({Problem}); it is taken up again from its files")]
    private static partial void LogTakenUpAgain(ILogger logger, string task, string problem);

    [LoggerMessage(Level = LogLevel.Critical, Message = "The life of task {Task} broke; the daemon stops")]
    private static partial void LogBroken(ILogger logger, string task, Exception exception);
}
