using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Cairn.Contracts.Ids;
using Cairn.Contracts.Jobs;
using Cairn.Fleet.Link;
using Cairn.State;

namespace Cairn.Fleet.Jobs;

/// <summary>
/// Every job that has not ended and its tasks, in memory, as rebuilt from rows. Only the reconciler writes; others may look anything up
/// without a lock and see a moment that is about to be committed. While the rows are being read, at the start and after a write that
/// failed, a job that is missing here may well live: whoever concludes something from that asks <see cref="Content"/> before and after.
/// </summary>
internal sealed class JobBoard
{
    private readonly ConcurrentDictionary<JobId, LiveJob> _jobs = new();
    private readonly ConcurrentDictionary<(ProjectId, string), JobId> _names = new();
    private readonly ConcurrentDictionary<TaskId, LiveTask> _tasks = new();
    private readonly ConcurrentDictionary<NodeId, NodeUse> _use = new();
    private readonly Dictionary<NodeId, HashSet<LiveTask>> _byNode = [];
    private readonly RecentTasks _ended = new();
    private volatile TaskCompletionSource<BoardContent> _filled = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Told when the rows were read. Must be short.</summary>
    public event Action? Filled;

    /// <summary>Stands for what was read from rows; another after every reading, and null until it is whole.</summary>
    public BoardContent? Content => _filled.Task is { IsCompleted: true } filled ? filled.Result : null;

    public int JobCount => _jobs.Count;

    public IEnumerable<LiveJob> Jobs => _jobs.Values;

    public IEnumerable<LiveTask> Tasks => _tasks.Values;

    /// <summary>Returns once the rows were read.</summary>
    public Task FilledAsync(CancellationToken cancellationToken) => _filled.Task.WaitAsync(cancellationToken);

    public LiveJob? Find(JobId id) => _jobs.GetValueOrDefault(id);

    public bool TryGetTask(TaskId id, [NotNullWhen(true)] out LiveTask? task) => _tasks.TryGetValue(id, out task);

    /// <summary>A task that ended not long ago: its node may still repeat its last report and send the end of its log.</summary>
    public bool TryGetEnded(TaskId id, [NotNullWhen(true)] out LiveTask? task) => _ended.TryGet(id, out task);

    /// <summary>Whether a live job has the name: a hint that saves a refused insert; the row decides.</summary>
    public bool IsNameTaken(ProjectId project, string name) => _names.ContainsKey((project, name));

    public NodeUse UseOf(NodeId node) => _use.GetValueOrDefault(node);

    /// <summary>The live tasks on a node. For the reconciler only.</summary>
    public IReadOnlyList<LiveTask> TasksOn(NodeId node) => _byNode.TryGetValue(node, out var tasks) ? [.. tasks] : [];

    public void Add(LiveJob job)
    {
        job.MakeRoomForRanks();
        _jobs[job.Id] = job;
        _names[(job.ProjectId, job.Name)] = job.Id;
        foreach (var task in job.LiveTasks)
            Add(task);
    }

    /// <summary>Takes in a task whose job is known.</summary>
    public void Add(LiveTask task)
    {
        _tasks[task.Id] = task;
        if (!_byNode.TryGetValue(task.NodeId, out var tasks))
            _byNode[task.NodeId] = tasks = [];
        if (tasks.Add(task))
            ChangeUse(task, 1);
    }

    /// <summary>Forgets a task that has ended, but for repeats of what its node has to say.</summary>
    public void Remove(LiveTask task)
    {
        _tasks.TryRemove(task.Id, out _);
        _ended.Add(task);
        if (_byNode.TryGetValue(task.NodeId, out var tasks) && tasks.Remove(task))
        {
            ChangeUse(task, -1);
            if (tasks.Count == 0)
                _byNode.Remove(task.NodeId);
        }
    }

    /// <summary>Takes in a task that ended before.</summary>
    public void Recall(LiveTask task)
    {
        if (_tasks.ContainsKey(task.Id))
            return;
        task.Job = Find(task.JobId) ?? task.Job;
        _ended.Add(task);
    }

    public void Remove(LiveJob job)
    {
        _jobs.TryRemove(job.Id, out _);
        _names.TryRemove(new KeyValuePair<(ProjectId, string), JobId>((job.ProjectId, job.Name), job.Id));
    }

    public void Clear()
    {
        Distrust();
        _jobs.Clear();
        _names.Clear();
        _tasks.Clear();
        _use.Clear();
        _byNode.Clear();
        _ended.Clear();
    }

    /// <summary>What is here may not be what rows hold; it is about to be read anew.</summary>
    public void Distrust()
    {
        if (_filled.Task.IsCompleted)
            _filled = new TaskCompletionSource<BoardContent>(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    /// <summary>All that lives is in, as this server read it under the fence; null where no other shares the database.</summary>
    public void Fill(Fence? fence = null)
    {
        _filled.TrySetResult(new BoardContent(fence));
        Filled?.Invoke();
    }

    private void ChangeUse(LiveTask task, int sign)
    {
        var use = _use.GetValueOrDefault(task.NodeId);
        _use[task.NodeId] = _byNode[task.NodeId].Count == 0
            ? default
            : new NodeUse(use.Accelerators + sign * task.TakesAccelerators, use.Cpus + sign * task.TakesCpus,
                use.MemoryBytes + sign * task.TakesMemoryBytes, use.DiskBytes + sign * task.TakesDiskBytes);
    }
}

/// <summary>One reading of the rows.</summary>
internal sealed class BoardContent(Fence? fence)
{
    public Fence? Fence => fence;
}

/// <summary>The last tasks that ended, at most <see cref="Most"/>; older ones are found in rows.</summary>
internal sealed class RecentTasks
{
    private const int Most = 16_384;

    private readonly ConcurrentDictionary<TaskId, LiveTask> _tasks = new();
    private readonly Queue<TaskId> _order = new();

    public bool TryGet(TaskId id, [NotNullWhen(true)] out LiveTask? task) => _tasks.TryGetValue(id, out task);

    public void Add(LiveTask task)
    {
        if (!_tasks.TryAdd(task.Id, task))
            return;
        _order.Enqueue(task.Id);
        if (_order.Count > Most)
            _tasks.TryRemove(_order.Dequeue(), out _);
    }

    public void Clear()
    {
        _tasks.Clear();
        _order.Clear();
    }
}
