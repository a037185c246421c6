using Cairn.Contracts.Api;
using Cairn.Contracts.Identity;
using Cairn.Contracts.Ids;
using Cairn.Contracts.Jobs;
using Cairn.Contracts.Workloads;
using Cairn.Fleet.Jobs;
using Cairn.Serving.Gateway.Calls;
using Cairn.Serving.Gateway.Pools;
using Cairn.Serving.Gateways;
using Cairn.Serving.Rollouts;
using Cairn.State;
using Microsoft.Extensions.Logging;

namespace Cairn.Serving.Endpoints;

/// <summary>
/// Moves endpoints: (1) loads their rows and what jobs, probes and the gateway say; (2) decides each; (3) writes what was decided in one
/// transaction; (4) submits and stops the jobs that the rows now ask for, again and again until it is so; (5) tells the prober and the
/// gateway. A turn that dies anywhere is finished by the next: a replica's job is submitted under the replica's id, so it begins once.
/// While the fleet reads its jobs, at the start above all, there is no turn: replicas whose jobs are not known would look as if they had
/// lost their machines.
/// </summary>
internal sealed partial class EndpointReconciler(
    Store store, FleetJobs jobs, ReplicaProber prober, EngineWatch engines, GatewayState gateway, EndpointActivities activities,
    EndpointBoard board, GatewayPush push, LoadsElsewhere elsewhere, RolloutOptions options, TimeProvider time,
    ILogger<EndpointReconciler> logger)
{
    /// <summary>Of a refusal, the reasons that are told beside the first sentence.</summary>
    private const int MostReasons = 5;

    /// <summary>Endpoints that submitted a replica in this turn and spread them: the next one is a later turn's.</summary>
    private readonly HashSet<EndpointId> _spreading = [];

    public async Task ReconcileAsync(Fence? fence, CancellationToken cancellationToken)
    {
        _spreading.Clear();
        if (jobs.ContentUnder(fence) is not { } content)
            return;

        // (1)
        elsewhere.Sweep();
        var (endpoints, replicas, revisions, hosts) = await store.ReadAsync(Load, cancellationToken);
        var byEndpoint = replicas.ToLookup(r => r.EndpointId);
        var gone = replicas.Select(r => r.JobId).OfType<JobId>().Where(job => !jobs.IsLive(job)).ToList();
        var ends = await jobs.EndsAsync(gone, cancellationToken);
        var seen = endpoints.Select(e => See(e, byEndpoint[e.Id], ends, revisions)).ToList();
        if (jobs.ContentUnder(fence) != content)
            return;

        // (2)
        var all = seen.Select(s => (Seen: s, Changes: Decide(s))).ToList();

        // (3)
        var changed = all.Where(a => !a.Changes.IsNothing(a.Seen.Row)).ToList();
        if (changed.Count > 0)
            await store.WriteAsync(session => Write(session, fence, changed), cancellationToken);
        foreach (var (one, changes) in all)
            Remember(one, changes);

        // (4)
        foreach (var (one, changes) in all)
        {
            foreach (var replica in Rows(one, changes).ToList())
                await ActAsync(one with { Row = changes.Endpoint }, replica, revisions, cancellationToken);
        }

        // (5)
        push.Push(all.Where(a => !a.Changes.Ended).Select(a => After(a.Seen, a.Changes)).ToList(), revisions, hosts);
        prober.Watch(push.Probes);
        engines.Watch(push.Probes);
    }

    private static (
        IReadOnlyList<EndpointRow> Endpoints,
        IReadOnlyList<ReplicaRow> Replicas,
        Dictionary<(EndpointId, int), Revision> Revisions,
        IReadOnlyList<HostRow> Hosts) Load(ReadSession session)
    {
        var (endpoints, replicas) = (EndpointRows.Live(session), EndpointRows.LiveReplicas(session));
        var numbers = endpoints
            .SelectMany(e => new[] { (e.Id, e.Revision), (e.Id, e.Canary ?? e.Revision) })
            .Concat(replicas.Select(r => (r.EndpointId, r.Revision)))
            .Distinct();
        var revisions = new Dictionary<(EndpointId, int), Revision>();
        foreach (var (endpoint, number) in numbers)
        {
            if (EndpointRows.Revision(session, endpoint, number) is { } row)
                revisions[(endpoint, number)] = Revision.Of(row);
        }
        return (endpoints, replicas, revisions, HostRows.All(session));
    }

    private EndpointSeen See(EndpointRow endpoint, IEnumerable<ReplicaRow> replicas, IReadOnlyDictionary<JobId, string> ends,
        Dictionary<(EndpointId, int), Revision> revisions)
    {
        var seen = replicas.Select(row =>
        {
            var task = row.JobId is { } job ? jobs.TaskOf(job) : null;
            var waits = row.JobId is { } queued && jobs.WaitsFor(queued) is not null;
            var end = row.JobId is { } id ? ends.GetValueOrDefault(id) : null;
            var limit = revisions.GetValueOrDefault((endpoint.Id, row.Revision))?.Workload.Service?.StartWithinSeconds;
            return new ReplicaSeen(row, end, waits, task, task is null ? null : prober.Of(task.Task),
                task is null ? 0 : gateway.InFlight(task.Task) + elsewhere.InFlight(task.Task))
            {
                Known = end is not null || task is not null || row.JobId is not { } asked || jobs.IsLive(asked),
                StartWithin = limit is { } seconds ? TimeSpan.FromSeconds(seconds) : null,
            };
        }).ToList();
        var now = time.GetUtcNow();
        activities.MeterOf(endpoint.Id).Elsewhere(seen.Sum(r => r.Task is { } task ? gateway.Elsewhere(task.Task, now) : 0));
        var canary = endpoint.Canary is { } number ? activities.HealthOf(endpoint.Id, number) : default;
        return new EndpointSeen(endpoint, seen, activities.HealthOf(endpoint.Id, endpoint.Revision), canary, now)
        {
            Splits = revisions.Values.Where(r => r.Endpoint == endpoint.Id).ToDictionary(r => r.Number, r => r.Split),
        };
    }

    private EndpointChanges Decide(EndpointSeen seen) => activities.MeterOf(seen.Row.Id).Read((load, now) =>
        EndpointTurn.Decide(seen, load, board.Scaling(seen.Row.Id, seen.Row.Wanted, now), options, () => Guid.CreateVersion7(now), now));

    private static void Write(WriteSession session, Fence? fence, List<(EndpointSeen Seen, EndpointChanges Changes)> all)
    {
        if (fence is not null)
            session.RequireFence(fence);
        foreach (var (seen, changes) in all)
        {
            EndpointRows.UpdateDecided(session, changes.Endpoint);
            if (changes.WentBack)
                EndpointRows.UpdateRollout(session, changes.Endpoint, seen.Row.Revision, seen.Row.Canary);
            foreach (var replica in changes.Replicas)
                EndpointRows.Update(session, replica);
            foreach (var replica in changes.Begun)
                EndpointRows.Insert(session, replica);
            foreach (var (kind, message) in changes.Events)
                EndpointRows.Tell(session, seen.Row.Id, kind, message);
            if (changes.Ended)
                EndpointRows.SetPhase(session, seen.Row.Id, EndpointPhase.Stopped, session.Now);
            if (changes.Begun.Count > 0 || changes.WentBack || changes.Ended)
                session.Signal(EndpointRows.Signal);
        }
    }

    private void Remember(EndpointSeen seen, EndpointChanges changes)
    {
        foreach (var (kind, message) in changes.Events)
            LogEvent(logger, seen.Row.Name, kind, message);
        if (changes.Scaling is { } scaling)
            board.Decided(seen.Row.Id, scaling);
        if (seen.Replicas.Any(r => r.Probe is { Ready: true }))
            board.Asked(seen.Row.Id, seen.ServesNoModel);
        if (!changes.Ended)
            return;
        board.Forget(seen.Row.Id);
        activities.Forget(seen.Row.Id);
    }

    private static IEnumerable<ReplicaRow> Rows(EndpointSeen seen, EndpointChanges changes) =>
        After(seen, changes).Replicas.Select(r => r.Row).Concat(changes.Begun);

    private static EndpointSeen After(EndpointSeen seen, EndpointChanges changes)
    {
        var changed = changes.Replicas.ToDictionary(r => r.Id);
        return seen with
        {
            Row = changes.Endpoint,
            Replicas = [.. seen.Replicas
                .Select(r => r with { Row = changed.GetValueOrDefault(r.Row.Id) ?? r.Row })
                .Where(r => r.Row.Phase != ReplicaPhase.Ended)],
        };
    }

    private async Task ActAsync(
        EndpointSeen seen, ReplicaRow replica, Dictionary<(EndpointId, int), Revision> revisions, CancellationToken cancellationToken)
    {
        if (replica is { Phase: ReplicaPhase.Starting, JobId: null }
            && revisions.TryGetValue((seen.Row.Id, replica.Revision), out var revision))
        {
            await SubmitAsync(seen, replica, revision, cancellationToken);
        }
        else if (replica is { Phase: ReplicaPhase.Stopping, JobId: { } job }
            && jobs.TaskOf(job)?.State != TaskState.Stopping && jobs.IsLive(job))
        {
            await jobs.StopAsync(job, "the endpoint " + seen.Row.Name, null, cancellationToken);
        }
    }

    private async Task SubmitAsync(EndpointSeen seen, ReplicaRow replica, Revision revision, CancellationToken cancellationToken)
    {
        var (endpoint, avoid) = (seen.Row, (IReadOnlyList<string>)[]);
        if (revision.Workload.Service is { Spread: true })
        {
            // Its siblings' places are what it avoids, so it is submitted when they are known.
            if (!_spreading.Add(endpoint.Id) || ReplicaSpread.Waits(seen.Replicas))
                return;
            avoid = ReplicaSpread.Avoid(seen.Replicas.Select(r => r.Task).OfType<LiveTaskView>().Select(t => $"{t.Provider}/{t.Region}"));
        }
        var caller = new Caller(endpoint.CreatedKey, endpoint.CreatedBy, Role.Member, endpoint.ProjectId, endpoint.Project);
        var secrets = revision.Sealed is { } text ? jobs.Unseal(endpoint.Id.Value, text) : null;
        var request = revision.Job(endpoint.Name, replica, avoid, secrets);
        var submitted = await jobs.SubmitAsync(request, caller, $"replica-{replica.Id:N}", cancellationToken);
        var why = submitted.Problem is null
            ? null
            : string.Join(" ", submitted.Errors.Take(MostReasons).Prepend(submitted.Problem.Message).Distinct());
        var next = submitted.Job is { } job
            ? replica with { JobId = job }
            : replica with { Phase = ReplicaPhase.Ended, EndedAt = time.GetUtcNow(), Message = why };
        await store.WriteAsync(session =>
        {
            EndpointRows.Update(session, next);
            if (why is not null)
            {
                EndpointRows.Tell(session, endpoint.Id, "replica_refused", why);
                EndpointRows.UpdateDecided(session, endpoint with { FailedStarts = endpoint.FailedStarts + 1, FailedAt = session.Now });
            }
            session.Signal(EndpointRows.Signal);
        }, cancellationToken);
        if (why is not null)
            LogRefused(logger, endpoint.Id, why);
    }
}
