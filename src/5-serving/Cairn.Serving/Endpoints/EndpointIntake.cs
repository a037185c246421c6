using Cairn.Contracts.Api;
using Cairn.Contracts.Identity;
using Cairn.Contracts.Ids;
using Cairn.Contracts.Problems;
using Cairn.Contracts.Units;
using Cairn.Contracts.Workloads;
using Cairn.Fleet.Jobs;
using Cairn.Serving.Autoscaling;
using Cairn.State;
using Cairn.State.Rows;

namespace Cairn.Serving.Endpoints;

/// <summary>What became of a wish: the endpoint, or everything that is wrong with it.</summary>
internal sealed record EndpointOutcome(EndpointRow? Endpoint, Problem? Problem, IReadOnlyList<string> Errors)
{
    /// <summary>The endpoint's own DNS names.</summary>
    public IReadOnlyList<string> Hosts { get; init; } = [];

    public static EndpointOutcome Refused(string code, string message, IReadOnlyList<string>? errors = null) => new(null, new Problem(code, message), errors ?? []);
}

/// <summary>A wish that was read.</summary>
/// <param name="Hosts">Null where nothing was said of them.</param>
internal sealed record EndpointDraft(WorkloadSpec Workload, string Name, ScalingSpec Scaling, IReadOnlyList<string>? Hosts);

/// <summary>Takes what people want of endpoints: durable first, then the reconciler sees to it.</summary>
internal sealed class EndpointIntake(Store store, FleetJobs jobs, HostClaims claims, TimeProvider time)
{
    private const int MostNameLength = 50; // a replica's job adds a suffix

    public async Task<EndpointOutcome> CreateAsync(ServeRequest request, Caller caller, CancellationToken cancellationToken)
    {
        var (draft, refused) = Read(request);
        if (refused is not null)
            return refused;
        var (workload, name, scaling, hosts) = draft!;
        var now = time.GetUtcNow();
        var id = EndpointId.New(now);
        var model = request.Model is { } named ? (named.Length == 0 ? null : named) : workload.Service!.Model ?? name;
        var row = new EndpointRow
        {
            Id = id, ProjectId = caller.Project, Project = caller.ProjectName, Name = name, Model = model, Phase = EndpointPhase.Active, Revision = 1,
            Wanted = Math.Max(1, scaling.MinReplicas), Scaling = scaling, Settings = SettingsOf(request), CreatedAt = now, CreatedBy = caller.KeyName, CreatedKey = caller.Key,
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
        var (draft, refused) = Read(request with { Name = request.Name ?? "unused" });
        if (refused is not null)
            return Task.FromResult(refused);
        if (request.CanaryPercent is not (null or (>= 1 and <= 99)))
            return Task.FromResult(EndpointOutcome.Refused(ProblemCodes.InvalidRequest, $"canary_percent is {request.CanaryPercent}; expected 1 to 99."));
        return ChangeAsync(endpoint, caller, (session, row) =>
        {
            if (row.Canary is { } open)
                return EndpointOutcome.Refused(ProblemCodes.Conflict, $"Revision {open} is a canary. Promote it or take it back first: `cairn rollout {row.Name} --promote`, `cairn undo {row.Name}`.");
            if (MirrorsItself(draft!.Workload, row.Name) is { } itself)
                return EndpointOutcome.Refused(ProblemCodes.InvalidRequest, itself);
            if (draft.Hosts is { } hosts && HostClaims.Take(session, row.Id, hosts) is { } taken)
                return taken;
            var number = EndpointRows.LastRevision(session, row.Id) + 1;
            EndpointRows.Insert(session, RevisionOf(request, row.Id, number, session.Now));
            var next = request.CanaryPercent is { } percent ? row with { Canary = number, CanaryPercent = percent } : row with { Revision = number, Previous = row.Revision };
            EndpointRows.UpdateRollout(session, next, row.Revision, row.Canary);
            EndpointRows.Tell(session, row.Id, "rollout", request.CanaryPercent is { } share ? $"Revision {number} gets {share} % as a canary." : $"Revision {number} replaces {row.Revision}.");
            return new EndpointOutcome(next, null, []);
        }, cancellationToken);
    }

    /// <summary>Takes a canary back, or goes back to the revision before.</summary>
    public Task<EndpointOutcome> UndoAsync(string endpoint, Caller caller, CancellationToken cancellationToken) => ChangeAsync(endpoint, caller, (session, row) =>
    {
        if (row.Canary is null && row.Previous is null)
            return EndpointOutcome.Refused(ProblemCodes.Conflict, $"Endpoint '{row.Name}' has no revision before {row.Revision} to go back to.");
        var next = row.Canary is not null ? row with { Canary = null, CanaryPercent = 0 } : row with { Revision = row.Previous!.Value, Previous = row.Revision };
        EndpointRows.UpdateRollout(session, next, row.Revision, row.Canary);
        EndpointRows.Tell(session, row.Id, "undo", $"{caller.KeyName} went back to revision {next.Revision}.");
        return new EndpointOutcome(next, null, []);
    }, cancellationToken);

    /// <summary>Changes a canary's share; 100 promotes it.</summary>
    public Task<EndpointOutcome> CanaryAsync(string endpoint, int percent, Caller caller, CancellationToken cancellationToken) => ChangeAsync(endpoint, caller, (session, row) =>
    {
        if (percent is < 1 or > 100)
            return EndpointOutcome.Refused(ProblemCodes.InvalidRequest, $"percent is {percent}; expected 1 to 100.");
        if (row.Canary is not { } canary)
            return EndpointOutcome.Refused(ProblemCodes.Conflict, $"Endpoint '{row.Name}' has no canary. Begin one with `cairn rollout {row.Name} FILE --canary {percent}`.");
        var next = percent == 100 ? row with { Revision = canary, Previous = row.Revision, Canary = null, CanaryPercent = 0 } : row with { CanaryPercent = percent };
        EndpointRows.UpdateRollout(session, next, row.Revision, row.Canary);
        EndpointRows.Tell(session, row.Id, "canary", percent == 100 ? $"Revision {canary} was promoted." : $"Revision {canary} gets {percent} %.");
        return new EndpointOutcome(next, null, []);
    }, cancellationToken);

    public Task<EndpointOutcome> ScaleAsync(string endpoint, ScalingRequest wish, Caller caller, CancellationToken cancellationToken) => ChangeAsync(endpoint, caller, (session, row) =>
    {
        var scaling = Merge(row.Scaling.Value, wish);
        if (scaling.Problems() is { Count: > 0 } problems)
            return EndpointOutcome.Refused(ProblemCodes.InvalidRequest, problems[0], problems);
        EndpointRows.SetScaling(session, row.Id, scaling);
        EndpointRows.Tell(session, row.Id, "scaling", $"{caller.KeyName} asks for {scaling.MinReplicas} to {scaling.MaxReplicas} replicas.");
        return new EndpointOutcome(row with { Scaling = scaling }, null, []);
    }, cancellationToken);

    /// <summary>Gives an endpoint these DNS names in place of those it had.</summary>
    public Task<EndpointOutcome> HostsAsync(string endpoint, HostsRequest request, Caller caller, CancellationToken cancellationToken)
    {
        if (request.Hosts is null)
            return Task.FromResult(EndpointOutcome.Refused(ProblemCodes.InvalidRequest, "hosts is missing; expected a list of DNS names, which may be empty."));
        var (hosts, errors) = claims.Read(request.Hosts);
        if (errors.Count > 0)
            return Task.FromResult(EndpointOutcome.Refused(ProblemCodes.InvalidRequest, errors[0], errors));
        return ChangeAsync(endpoint, caller, (session, row) =>
        {
            if (HostClaims.Take(session, row.Id, hosts) is { } taken)
                return taken;
            EndpointRows.Tell(session, row.Id, "hosts", hosts.Count == 0 ? $"{caller.KeyName} took its host names away." : $"{caller.KeyName} gave it {string.Join(", ", hosts)}.");
            return new EndpointOutcome(row, null, []) { Hosts = hosts };
        }, cancellationToken);
    }

    public Task<EndpointOutcome> StopAsync(string endpoint, Caller caller, CancellationToken cancellationToken) => ChangeAsync(endpoint, caller, (session, row) =>
    {
        if (row.Phase == EndpointPhase.Active)
        {
            EndpointRows.SetPhase(session, row.Id, EndpointPhase.Stopping, null);
            EndpointRows.Tell(session, row.Id, "stopping", $"Stopped by {caller.KeyName}.");
        }
        return new EndpointOutcome(row with { Phase = EndpointPhase.Stopping }, null, []);
    }, cancellationToken);

    private Task<EndpointOutcome> ChangeAsync(string endpoint, Caller caller, Func<WriteSession, EndpointRow, EndpointOutcome> change, CancellationToken cancellationToken) =>
        store.WriteAsync(session =>
        {
            if (EndpointRows.Find(session, caller.Project, endpoint) is not { } row)
                return EndpointOutcome.Refused(ProblemCodes.NotFound, $"There is no endpoint '{endpoint}' here; `cairn endpoints` lists them.");
            session.Signal(EndpointRows.Signal);
            var outcome = change(session, row);
            return outcome.Endpoint is null || outcome.Hosts.Count > 0 ? outcome : outcome with { Hosts = HostRows.Of(session, row.Id) };
        }, cancellationToken);

    private RevisionRow RevisionOf(ServeRequest request, EndpointId endpoint, int number, DateTimeOffset now) => new()
    {
        EndpointId = endpoint, Number = number, MadeAt = now, Request = request with { Secrets = null },
        Sealed = request.Secrets is { Count: > 0 } secrets ? jobs.Seal(endpoint.Value, secrets) : null,
    };

    private (EndpointDraft?, EndpointOutcome?) Read(ServeRequest request)
    {
        var file = request.FileName ?? "workload.yaml";
        var parsed = WorkloadParser.Parse(request.Workload, file);
        if (parsed.File is not { } read)
            return (null, EndpointOutcome.Refused(ProblemCodes.InvalidWorkload, $"{file} is not a workload.", [.. parsed.Errors.Select(e => e.ToString())]));
        if (read.Steps is not [{ Workload: { Service: { } service } workload }])
            return (null, EndpointOutcome.Refused(ProblemCodes.InvalidWorkload, $"{file} is not one workload with a service; give it 'service: {{port: 8000}}'."));
        var errors = new List<string>();
        var name = request.Name ?? workload.Name;
        if (name.Length > MostNameLength || !name.All(c => c is (>= 'a' and <= 'z') or (>= '0' and <= '9') or '-') || name.StartsWith('-') || name.EndsWith('-') || name.Length == 0)
            errors.Add($"The name '{name}' is not valid; expected lower-case letters, digits and hyphens, at most {MostNameLength}.");
        if (MirrorsItself(workload, name) is { } itself)
            errors.Add(itself);
        if (workload.Nodes != 1)
            errors.Add($"The workload asks for {workload.Nodes} nodes; a replica is one node.");
        if (request.InputPrice is < 0 || request.OutputPrice is < 0)
            errors.Add("A price per million tokens is negative; expected 0 or more.");
        if (request.ContextLength is < 0 || request.ReplicaConcurrency is < 0)
            errors.Add("context_length and replica_concurrency are 0 or more.");
        var scaling = Merge(new ScalingSpec
        {
            MinReplicas = service.MinReplicas, MaxReplicas = Math.Max(1, service.MaxReplicas), TargetRequestsPerSecond = service.TargetRequestsPerSecond,
            TimeToFirstTokenMs = service.TimeToFirstTokenMs,
            ScaleDownDelay = service.ScaleDownDelaySeconds is { } delay ? TimeSpan.FromSeconds(delay) : new ScalingSpec().ScaleDownDelay,
        }, request.Scaling ?? new ScalingRequest());
        errors.AddRange(scaling.Problems());
        var (hosts, wrong) = claims.Read(request.Hosts ?? service.Hosts);
        errors.AddRange(wrong);
        var named = request.Hosts is null && hosts.Count == 0 ? null : hosts;
        return errors.Count > 0 ? (null, EndpointOutcome.Refused(ProblemCodes.InvalidRequest, errors[0], errors)) : (new EndpointDraft(workload, name, scaling, named), null);
    }

    private static string? MirrorsItself(WorkloadSpec workload, string name) => workload.Service?.Mirror?.Endpoint == name
        ? $"service.mirror.endpoint is '{name}', the endpoint itself; expected another endpoint of the project." : null;

    private static EndpointSettings SettingsOf(ServeRequest request) => new()
    {
        InputPrice = request.InputPrice ?? 0, OutputPrice = request.OutputPrice ?? 0, ContextLength = request.ContextLength ?? 0,
        ReplicaConcurrency = request.ReplicaConcurrency ?? 0, Fallbacks = request.Fallbacks ?? [],
    };

    private static ScalingSpec Merge(ScalingSpec scaling, ScalingRequest wish) => scaling with
    {
        MinReplicas = wish.Min ?? Math.Min(scaling.MinReplicas, wish.Max ?? int.MaxValue),
        MaxReplicas = wish.Max ?? Math.Max(scaling.MaxReplicas, wish.Min ?? 0),
        TargetConcurrency = wish.TargetConcurrency ?? scaling.TargetConcurrency,
        TargetRequestsPerSecond = wish.TargetRequestsPerSecond ?? scaling.TargetRequestsPerSecond,
        TimeToFirstTokenMs = wish.TimeToFirstTokenMs ?? scaling.TimeToFirstTokenMs,
        StableWindow = wish.WindowSeconds is { } window ? TimeSpan.FromSeconds(Math.Clamp(window, 0, 1e6)) : scaling.StableWindow,
        PanicWindow = wish.WindowSeconds is { } calm ? TimeSpan.FromSeconds(Math.Max(1, Math.Clamp(calm, 0, 1e6) / 10)) : scaling.PanicWindow,
        ScaleDownDelay = wish.ScaleDownDelaySeconds is { } down ? TimeSpan.FromSeconds(Math.Clamp(down, -1, 1e6)) : scaling.ScaleDownDelay,
        ScaleToZeroDelay = wish.ScaleToZeroDelaySeconds is { } zero ? TimeSpan.FromSeconds(Math.Clamp(zero, -1, 1e6)) : scaling.ScaleToZeroDelay,
        SpendCap = wish.SpendCapUsdPerHour is { } cap ? HourlyPrice.FromUsd(cap) : scaling.SpendCap,
    };
}
