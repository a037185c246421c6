using Cairn.Contracts.Api;
using Cairn.Contracts.Identity;
using Cairn.Contracts.Ids;
using Cairn.Contracts.Problems;
using Cairn.Fleet.Jobs;
using Cairn.State;
using Cairn.State.Rows;

namespace Cairn.Serving.Endpoints;

/// <summary>Takes what people want of endpoints: durable first, then the reconciler sees to it.</summary>
internal sealed class EndpointIntake(Store store, FleetJobs jobs, HostClaims claims, TimeProvider time)
{
    public async Task<EndpointOutcome> CreateAsync(ServeRequest request, Caller caller, CancellationToken cancellationToken)
    {
        var (draft, refused) = EndpointWish.Read(request, claims);
        if (refused is not null)
            return refused;
        var (workload, name, scaling, hosts) = draft!;
        var now = time.GetUtcNow();
        var id = EndpointId.New(now);
        var model = request.Model is { } named ? (named.Length == 0 ? null : named) : workload.Service!.Model ?? name;
        var row = new EndpointRow
        {
            Id = id,
            ProjectId = caller.Project,
            Project = caller.ProjectName,
            Name = name,
            Model = model,
            Phase = EndpointPhase.Active,
            Revision = 1,
            Wanted = Math.Max(1, scaling.MinReplicas),
            Scaling = scaling,
            Settings = EndpointWish.SettingsOf(request),
            CreatedAt = now,
            CreatedBy = caller.KeyName,
            CreatedKey = caller.Key,
        };
        var revision = RevisionOf(request, id, 1, now);
        return await store.WriteAsync(session =>
        {
            if (HostClaims.Taken(session, id, hosts ?? []) is { } taken)
                return taken;
            if (EndpointRows.Insert(session, row) == 0)
            {
                return EndpointOutcome.Refused(ProblemCodes.NameTaken,
                    $"There is an endpoint '{name}' already. Roll out to it with `cairn rollout {name} FILE`, or give this one another name.");
            }
            HostRows.Replace(session, id, hosts ?? []);
            EndpointRows.Insert(session, revision);
            EndpointRows.Tell(session, id, "created", $"Created by {caller.KeyName}.");
            session.Signal(EndpointRows.Signal);
            return new EndpointOutcome(row, null, []) { Hosts = hosts ?? [] };
        }, cancellationToken);
    }

    public Task<EndpointOutcome> RollOutAsync(string endpoint, ServeRequest request, Caller caller, CancellationToken cancellationToken)
    {
        var (draft, refused) = EndpointWish.Read(request with { Name = request.Name ?? "unused" }, claims);
        if (refused is not null)
            return Task.FromResult(refused);
        if (request.CanaryPercent is not (null or (>= 1 and <= 99)))
        {
            return Task.FromResult(EndpointOutcome.Refused(
                ProblemCodes.InvalidRequest, $"canary_percent is {request.CanaryPercent}; expected 1 to 99."));
        }
        return ChangeAsync(endpoint, caller, (session, row) =>
        {
            if (row.Canary is { } open)
            {
                return EndpointOutcome.Refused(ProblemCodes.Conflict,
                    $"Revision {open} is a canary. Promote it or take it back first: `cairn rollout {row.Name} --promote`, `cairn undo {row.Name}`.");
            }
            if (EndpointWish.MirrorsItself(draft!.Workload, row.Name) is { } itself)
                return EndpointOutcome.Refused(ProblemCodes.InvalidRequest, itself);
            if (draft.Hosts is { } hosts && HostClaims.Take(session, row.Id, hosts) is { } taken)
                return taken;
            var number = EndpointRows.LastRevision(session, row.Id) + 1;
            EndpointRows.Insert(session, RevisionOf(request, row.Id, number, session.Now));
            var (next, told) = request.CanaryPercent is { } percent
                ? (row with { Canary = number, CanaryPercent = percent }, $"Revision {number} gets {percent} % as a canary.")
                : (row with { Revision = number, Previous = row.Revision }, $"Revision {number} replaces {row.Revision}.");
            EndpointRows.UpdateRollout(session, next, row.Revision, row.Canary);
            EndpointRows.Tell(session, row.Id, "rollout", told);
            return new EndpointOutcome(next, null, []);
        }, cancellationToken);
    }

    /// <summary>Takes a canary back, or goes back to the revision before.</summary>
    public Task<EndpointOutcome> UndoAsync(string endpoint, Caller caller, CancellationToken cancellationToken) =>
        ChangeAsync(endpoint, caller, (session, row) =>
        {
            if (row.Canary is null && row.Previous is null)
            {
                return EndpointOutcome.Refused(
                    ProblemCodes.Conflict, $"Endpoint '{row.Name}' has no revision before {row.Revision} to go back to.");
            }
            var next = row.Canary is not null
                ? row with { Canary = null, CanaryPercent = 0 }
                : row with { Revision = row.Previous!.Value, Previous = row.Revision };
            EndpointRows.UpdateRollout(session, next, row.Revision, row.Canary);
            EndpointRows.Tell(session, row.Id, "undo", $"{caller.KeyName} went back to revision {next.Revision}.");
            return new EndpointOutcome(next, null, []);
        }, cancellationToken);

    /// <summary>Changes a canary's share; 100 promotes it.</summary>
    public Task<EndpointOutcome> CanaryAsync(string endpoint, int percent, Caller caller, CancellationToken cancellationToken) =>
        ChangeAsync(endpoint, caller, (session, row) =>
        {
            if (percent is < 1 or > 100)
                return EndpointOutcome.Refused(ProblemCodes.InvalidRequest, $"percent is {percent}; expected 1 to 100.");
            if (row.Canary is not { } canary)
            {
                return EndpointOutcome.Refused(ProblemCodes.Conflict,
                    $"Endpoint '{row.Name}' has no canary. Begin one with `cairn rollout {row.Name} FILE --canary {percent}`.");
            }
            var (next, told) = percent == 100
                ? (row with { Revision = canary, Previous = row.Revision, Canary = null, CanaryPercent = 0 }, "was promoted")
                : (row with { CanaryPercent = percent }, $"gets {percent} %");
            EndpointRows.UpdateRollout(session, next, row.Revision, row.Canary);
            EndpointRows.Tell(session, row.Id, "canary", $"Revision {canary} {told}.");
            return new EndpointOutcome(next, null, []);
        }, cancellationToken);

    public Task<EndpointOutcome> ScaleAsync(string endpoint, ScalingRequest wish, Caller caller, CancellationToken cancellationToken) =>
        ChangeAsync(endpoint, caller, (session, row) =>
        {
            var scaling = EndpointWish.Merge(row.Scaling.Value, wish);
            if (scaling.Problems() is { Count: > 0 } problems)
                return EndpointOutcome.Refused(ProblemCodes.InvalidRequest, problems[0], problems);
            EndpointRows.SetScaling(session, row.Id, scaling);
            EndpointRows.Tell(
                session, row.Id, "scaling", $"{caller.KeyName} asks for {scaling.MinReplicas} to {scaling.MaxReplicas} replicas.");
            return new EndpointOutcome(row with { Scaling = scaling }, null, []);
        }, cancellationToken);

    /// <summary>Gives an endpoint these DNS names in place of those it had.</summary>
    public Task<EndpointOutcome> HostsAsync(string endpoint, HostsRequest request, Caller caller, CancellationToken cancellationToken)
    {
        if (request.Hosts is null)
        {
            return Task.FromResult(EndpointOutcome.Refused(
                ProblemCodes.InvalidRequest, "hosts is missing; expected a list of DNS names, which may be empty."));
        }
        var (hosts, errors) = claims.Read(request.Hosts);
        if (errors.Count > 0)
            return Task.FromResult(EndpointOutcome.Refused(ProblemCodes.InvalidRequest, errors[0], errors));
        return ChangeAsync(endpoint, caller, (session, row) =>
        {
            if (HostClaims.Take(session, row.Id, hosts) is { } taken)
                return taken;
            EndpointRows.Tell(session, row.Id, "hosts", hosts.Count == 0
                ? $"{caller.KeyName} took its host names away."
                : $"{caller.KeyName} gave it {string.Join(", ", hosts)}.");
            return new EndpointOutcome(row, null, []) { Hosts = hosts };
        }, cancellationToken);
    }

    public Task<EndpointOutcome> StopAsync(string endpoint, Caller caller, CancellationToken cancellationToken) =>
        ChangeAsync(endpoint, caller, (session, row) =>
        {
            if (row.Phase == EndpointPhase.Active)
            {
                EndpointRows.SetPhase(session, row.Id, EndpointPhase.Stopping, null);
                EndpointRows.Tell(session, row.Id, "stopping", $"Stopped by {caller.KeyName}.");
            }
            return new EndpointOutcome(row with { Phase = EndpointPhase.Stopping }, null, []);
        }, cancellationToken);

    private Task<EndpointOutcome> ChangeAsync(
        string endpoint, Caller caller, Func<WriteSession, EndpointRow, EndpointOutcome> change, CancellationToken cancellationToken) =>
        store.WriteAsync(session =>
        {
            if (EndpointRows.Find(session, caller.Project, endpoint) is not { } row)
            {
                return EndpointOutcome.Refused(
                    ProblemCodes.NotFound, $"There is no endpoint '{endpoint}' here; `cairn endpoints` lists them.");
            }
            session.Signal(EndpointRows.Signal);
            var outcome = change(session, row);
            return outcome.Endpoint is null || outcome.Hosts.Count > 0 ? outcome : outcome with { Hosts = HostRows.Of(session, row.Id) };
        }, cancellationToken);

    private RevisionRow RevisionOf(ServeRequest request, EndpointId endpoint, int number, DateTimeOffset now) => new()
    {
        EndpointId = endpoint,
        Number = number,
        MadeAt = now,
        Request = request with { Secrets = null },
        Sealed = request.Secrets is { Count: > 0 } secrets ? jobs.Seal(endpoint.Value, secrets) : null,
    };
}
