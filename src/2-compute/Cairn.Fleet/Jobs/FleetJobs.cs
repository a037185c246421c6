using Cairn.Contracts.Api;
using Cairn.Contracts.Identity;
using Cairn.Contracts.Ids;
using Cairn.Contracts.Jobs;
using Cairn.Contracts.Offers;
using Cairn.Contracts.Problems;
using Cairn.Contracts.Units;
using Cairn.Fleet.Nodes;
using Cairn.Fleet.Secrets;
using Cairn.State;

namespace Cairn.Fleet.Jobs;

/// <summary>What a submission from a layer above came to: the job, or why there is none.</summary>
/// <param name="Job">Null where it was refused.</param>
/// <param name="Problem">Null where it was accepted.</param>
/// <param name="Errors">Everything that is wrong, one sentence each.</param>
public sealed record Submitted(JobId? Job, Problem? Problem, IReadOnlyList<string> Errors);

/// <summary>A live job's only task, and the node that it is on.</summary>
/// <param name="Address">Under which other machines reach the node.</param>
/// <param name="Price">Of the lease.</param>
public sealed record LiveTaskView(TaskId Task, NodeId NodeId, string Node, string Address, string Provider, string Region, GeoPoint? Point,
    TaskState State, HourlyPrice Price, bool Simulated);

/// <summary>Jobs for the layers above: what keeps an endpoint's replicas alive submits and stops them as a person would.</summary>
public sealed class FleetJobs
{
    private readonly JobSubmission _submission;
    private readonly JobStops _stops;
    private readonly JobBoard _board;
    private readonly FleetNodes _nodes;
    private readonly SecretSeal _seal;
    private readonly Store _store;

    internal FleetJobs(Store store, JobSubmission submission, JobStops stops, JobBoard board, FleetNodes nodes, SecretSeal seal, JobChanges changes)
    {
        (_store, _submission, _stops, _board, _nodes, _seal) = (store, submission, stops, board, nodes, seal);
        changes.Published += job => Changed?.Invoke(job);
        board.Filled += () => Loaded?.Invoke();
    }

    /// <summary>The live jobs were read from rows. Handlers are short.</summary>
    public event Action? Loaded;

    /// <summary>
    /// Stands for the live jobs as they were read from rows under the fence. While it is null, or where it is another afterwards, what
    /// <see cref="IsLive"/>, <see cref="WaitsFor"/> and <see cref="TaskOf"/> said of a job says nothing: they did not know it yet, or what
    /// they knew is of an earlier time at which this server led.
    /// </summary>
    public object? ContentUnder(Fence? fence) => _board.Content is { } content && content.Fence == fence ? content : null;

    /// <summary>A job changed durably. Handlers are short.</summary>
    public event Action<JobId>? Changed;

    /// <summary>Submits a workload. The same key submits once, however often it is called.</summary>
    public async Task<Submitted> SubmitAsync(SubmitJobRequest request, Caller caller, string idempotencyKey, CancellationToken cancellationToken)
    {
        var result = await _submission.SubmitAsync(request, caller, idempotencyKey, cancellationToken);
        return result switch
        {
            IntakeResult.Accepted accepted => new Submitted(accepted.Jobs[0].Id, null, []),
            IntakeResult.Repeated repeated => new Submitted(repeated.Job, null, []),
            IntakeResult.Refused refused => new Submitted(null, refused.Refusal.Problem, refused.Refusal.Errors),
            _ => throw new System.Diagnostics.UnreachableException(),
        };
    }

    public Task StopAsync(JobId job, string by, int? graceSeconds, CancellationToken cancellationToken) => _stops.StopAsync(job, by, graceSeconds, cancellationToken);

    /// <summary>Whether memory has the job as live. One that was accepted a moment ago may not be there yet: see <see cref="EndsAsync"/>.</summary>
    public bool IsLive(JobId job) => _board.Find(job) is not null;

    /// <summary>Those of the jobs that have ended, by their rows, with why in words.</summary>
    public async Task<IReadOnlyDictionary<JobId, string>> EndsAsync(IReadOnlyCollection<JobId> jobs, CancellationToken cancellationToken)
    {
        if (jobs.Count == 0)
            return new Dictionary<JobId, string>();
        var rows = await _store.ReadAsync(session => session.Query<(JobId Id, string? Message, string? Reason)>(
            "SELECT id, message, reason FROM jobs WHERE id IN @jobs AND ended_at IS NOT NULL", new { jobs = jobs.ToArray() }), cancellationToken);
        return rows.ToDictionary(r => r.Id, r => r.Message ?? r.Reason ?? "It ended.");
    }

    /// <summary>Why a live job waits, in words; null where it does not.</summary>
    public string? WaitsFor(JobId job) => _board.Find(job) is { Phase: JobPhase.Queued } waiting ? waiting.Message : null;

    /// <summary>The task of rank 0, once it has a node; null before, and after its end.</summary>
    public LiveTaskView? TaskOf(JobId job)
    {
        if (_board.Find(job)?.LiveTasks.FirstOrDefault(t => t.Rank == 0 && !t.HasEnded) is not { } task || _nodes.Find(task.NodeId) is not { } node)
            return null;
        var facts = node.Facts;
        return new LiveTaskView(task.Id, task.NodeId, task.Node, facts.Address, task.Provider, task.Region, facts.Region.Point, task.State,
            task.Price, facts.Simulated);
    }

    /// <summary>Seals secrets that a layer above keeps in its rows, bound to the row's id.</summary>
    public string Seal(Guid owner, IReadOnlyDictionary<string, string> secrets) => _seal.Seal(new JobId(owner), secrets);

    /// <exception cref="System.Security.Cryptography.CryptographicException">The text was changed, belongs to another row, or was sealed
    /// with another key.</exception>
    public IReadOnlyDictionary<string, string> Unseal(Guid owner, string text) => _seal.Open(new JobId(owner), text);
}
