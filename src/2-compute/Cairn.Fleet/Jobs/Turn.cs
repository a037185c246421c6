using Cairn.Contracts.Ids;
using Cairn.Contracts.Units;
using Cairn.Contracts.Wire;
using Cairn.Fleet.Leasing;
using Cairn.Fleet.Outputs;
using Cairn.State;

namespace Cairn.Fleet.Jobs;

/// <summary>
/// What one turn of the reconciler has decided: the rows to write in one transaction, and what follows once they are durable. Nothing
/// leaves
/// the server, no command, no acknowledgement, before its row is on the disk.
/// </summary>
internal sealed class Turn(long nowMicros)
{
    private readonly HashSet<LiveJob> _jobs = [];
    private readonly HashSet<LiveTask> _tasks = [];
    private readonly HashSet<LiveTask> _newTasks = [];
    private readonly List<JobEvent> _events = [];
    private readonly List<LeaseUsage> _usages = [];
    private readonly List<JobId> _closed = [];
    private readonly List<LiveJob> _replanned = [];
    private readonly List<JobId> _secretsToDelete = [];
    private readonly List<OutputRow> _outputs = [];
    private readonly List<(LiveJob Job, Money Unspent)> _topUps = [];
    private readonly List<LiveJob> _outOfFunds = [];

    /// <summary>The turn's moment by the server's clock, UTC microseconds.</summary>
    public long Now => nowMicros;

    /// <summary>Messages to nodes, in order.</summary>
    public List<(NodeId Node, ServerMessage Message)> Sends { get; } = [];

    /// <summary>Tasks whose start command is to be made and sent.</summary>
    public List<LiveTask> Starts { get; } = [];

    /// <summary>Nodes that are back and wait for what they may have missed.</summary>
    public List<Replay> Replays { get; } = [];

    /// <summary>What else follows the commit: waiting callers go on.</summary>
    public List<Action> Afterwards { get; } = [];

    public IReadOnlyCollection<LiveJob> ChangedJobs => _jobs;

    /// <summary>After the commit: the jobs that the project can no longer pay for.</summary>
    public IReadOnlyList<LiveJob> OutOfFunds => _outOfFunds;

    public bool HasRows =>
        _jobs.Count + _tasks.Count + _newTasks.Count + _usages.Count + _outputs.Count + _topUps.Count + _replanned.Count > 0;

    public void Change(LiveJob job) => _jobs.Add(job);

    public void Change(LiveTask task)
    {
        if (!_newTasks.Contains(task))
            _tasks.Add(task);
    }

    public void Add(LiveTask task) => _newTasks.Add(task);

    /// <summary>Records what happened to a job whose new phase is already set.</summary>
    public void Event(LiveJob job, string kind, string message)
    {
        _events.Add(new JobEvent(job.Id, ++job.EventSequence, Now, kind, message, job.Phase));
        _jobs.Add(job);
    }

    public void Settle(LeaseUsage usage) => _usages.Add(usage);

    public void TopUp(LiveJob job, Money unspent) => _topUps.Add((job, unspent));

    /// <summary>The job has ended: what it still holds goes back, and its secrets go.</summary>
    public void Close(LiveJob job)
    {
        _closed.Add(job.Id);
        if (job.HasSecrets)
            _secretsToDelete.Add(job.Id);
        job.HasSecrets = false;
    }

    /// <summary>The job may run at other places now.</summary>
    public void Replan(LiveJob job) => _replanned.Add(job);

    public void Keep(OutputRow output) => _outputs.Add(output);

    public void Send(LiveTask task, ServerMessage message) => Sends.Add((task.NodeId, message));

    /// <summary>Writes everything; runs on the store's thread, perhaps more than once.</summary>
    public void Write(WriteSession session, IFundsHold funds)
    {
        JobRows.Insert(session, [.. _newTasks]);
        JobRows.Update(session, [.. _tasks]);
        JobRows.Update(session, [.. _jobs]);
        JobRows.UpdatePlaces(session, _replanned);
        JobRows.Insert(session, _events);
        OutputRows.Upsert(session, _outputs);
        if (_usages.Count > 0)
            funds.Settle(session, _usages);
        HoldMore(session, funds);
        if (_closed.Count > 0)
            funds.Close(session, _closed);
        foreach (var id in _secretsToDelete)
            session.Execute("DELETE FROM job_secrets WHERE job_id = @id", new { id });
    }

    private void HoldMore(WriteSession session, IFundsHold funds)
    {
        _outOfFunds.Clear();
        foreach (var (job, unspent) in _topUps)
        {
            if (!job.HasEnded && funds.Hold(session, job.Id, job.ProjectId, unspent) is not null)
                _outOfFunds.Add(job);
        }
    }
}
