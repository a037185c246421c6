using Cairn.Contracts.Api;
using Cairn.Contracts.Identity;
using Cairn.Contracts.Ids;
using Cairn.Contracts.Units;
using Cairn.Fleet.Jobs;
using Cairn.Serving.Gateway.Calls;
using Cairn.Serving.Gateway.Pools;
using Cairn.Serving.Rollouts;
using Cairn.State;

namespace Cairn.Serving.Endpoints;

/// <summary>Endpoints as the API shows them: their rows, and what memory knows of their replicas.</summary>
internal sealed class EndpointReading(Store store, FleetJobs jobs, GatewayState gateway, EndpointActivities activities, EndpointBoard board)
{
    private const int MostEvents = 50;

    public Task<List<EndpointView>> ListAsync(Caller caller, CancellationToken cancellationToken) => store.ReadAsync(session =>
    {
        var replicas = EndpointRows.LiveReplicas(session).ToLookup(r => r.EndpointId);
        var hosts = HostRows.All(session).ToLookup(row => row.EndpointId, row => row.Host);
        return EndpointRows.LiveOf(session, caller.Project).Select(row => View(row, [.. replicas[row.Id]], [.. hosts[row.Id]])).ToList();
    }, cancellationToken);

    public Task<EndpointView?> FindAsync(string endpoint, Caller caller, CancellationToken cancellationToken) => store.ReadAsync(session =>
    {
        if (EndpointRows.Find(session, caller.Project, endpoint) is not { } row)
            return null;
        var replicas = EndpointRows.LiveReplicas(session).Where(r => r.EndpointId == row.Id).ToList();
        return View(row, replicas, HostRows.Of(session, row.Id)) with
        {
            Replicas = [.. replicas.Select(View)], Revisions = Revisions(row.Id), Events = EndpointRows.Events(session, row.Id, MostEvents),
        };
    }, cancellationToken);

    public EndpointView View(EndpointRow row, IReadOnlyList<ReplicaRow> replicas, IReadOnlyList<string> hosts)
    {
        var ready = replicas.Count(r => r.Phase == ReplicaPhase.Ready);
        var (phase, message) = PhaseOf(row, replicas, ready);
        var (scaling, settings) = (row.Scaling.Value, row.Settings.Value);
        var model = board.ServesNoModel(row.Id) ? null : row.Model;
        return new EndpointView
        {
            Id = row.Id, Name = row.Name, Project = row.Project, Model = model, Phase = phase, Message = message, Revision = row.Revision,
            CanaryRevision = row.Canary, CanaryPercent = row.Canary is null ? null : row.CanaryPercent, Min = scaling.MinReplicas, Max = scaling.MaxReplicas,
            Wanted = row.Wanted, Ready = ready, CreatedAt = row.CreatedAt, InputPrice = settings.InputPrice, OutputPrice = settings.OutputPrice,
            Hourly = new HourlyPrice(replicas.Sum(r => TaskOf(r)?.Price.MicrosPerHour ?? 0)),
            Concurrency = activities.MeterOf(row.Id).Read((load, _) => load.Current.Concurrency),
            Hosts = hosts,
            Path = model is null ? EndpointPaths.Prefix + row.Name + "/" : "/v1",
        };
    }

    private List<RevisionView> Revisions(EndpointId endpoint) =>
        [.. activities.Of(endpoint).Revisions.Select(r => (r.Key, r.Value.Health)).Where(r => r.Health.Requests > 0).OrderBy(r => r.Key)
            .Select(r => new RevisionView(r.Key, r.Health.Requests, r.Health.Failures, r.Health.P90FirstTokenMs))];

    private (string Phase, string? Message) PhaseOf(EndpointRow row, IReadOnlyList<ReplicaRow> replicas, int ready)
    {
        if (row.EndedAt is not null)
            return ("stopped", null);
        if (row.Phase == EndpointPhase.Stopping)
            return ("stopping", $"{replicas.Count} replicas finish what they have.");
        if (ready == 0 && row.FailedStarts > 0)
            return ("failing", $"{row.FailedStarts} starts failed in a row.");
        if (row.Wanted == 0)
            return ("asleep", "The next request wakes it.");
        if (ready == 0)
            return ("starting", replicas.Select(r => r.JobId is { } job ? jobs.WaitsFor(job) : null).FirstOrDefault(m => m is not null));
        if (row.Canary is { } canary)
            return ("rolling_out", $"Revision {canary} is a canary with {row.CanaryPercent} %.");
        return replicas.Any(r => r.Revision != row.Revision && r.Phase is ReplicaPhase.Ready) ? ("rolling_out", null) : ("ready", board.MessageOf(row.Id));
    }

    private ReplicaView View(ReplicaRow row)
    {
        var task = TaskOf(row);
        return new ReplicaView
        {
            Id = row.Id, Revision = row.Revision, Phase = row.Phase.ToString().ToLowerInvariant(), Job = row.JobId?.ToString() ?? "", Node = task?.Node,
            Place = task is null ? null : $"{task.Provider}/{task.Region}", Hourly = task?.Price ?? HourlyPrice.Free, Simulated = task?.Simulated ?? false,
            StartedAt = row.MadeAt, ReadyAt = row.ReadyAt, InFlight = task is null ? 0 : gateway.InFlight(task.Task),
            Message = row.Message ?? (row.JobId is { } job ? jobs.WaitsFor(job) : null),
        };
    }

    private LiveTaskView? TaskOf(ReplicaRow row) => row.JobId is { } job ? jobs.TaskOf(job) : null;
}
