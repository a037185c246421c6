using System.Collections.Frozen;
using System.Globalization;
using System.Text.Json;
using Cairn.Contracts.Ids;
using Cairn.Contracts.Jobs;
using Cairn.Contracts.Units;
using Cairn.Contracts.Workloads;
using Cairn.Serving.Gateway;
using Cairn.Serving.Gateway.Pools;
using Cairn.Serving.Gateway.Snapshots;
using Cairn.Serving.Gateways;
using Cairn.Serving.Providers;
using Cairn.Serving.Rollouts;

namespace Cairn.Serving.Endpoints;

/// <summary>The keys that may call models, and word of their changes. The host that keeps the keys implements it.</summary>
public interface IGatewayKeys
{
    /// <summary>Grows when a key changed.</summary>
    long Version { get; }

    /// <summary>A key changed, and <see cref="All"/> says so already. The gateway knows once the handlers have returned.</summary>
    event Action? Changed;

    /// <summary>
    /// All that may call models, and those that might once: a revoked key is a blocked one, so that what it spent stays with the key
    /// above it.
    /// </summary>
    IReadOnlyCollection<GatewayKey> All();

    /// <summary>Whether a key, of whatever role, and those above it may be used now.</summary>
    bool Lives(KeyId key);
}

/// <summary>
/// Compiles endpoints, providers and keys to the snapshot that the gateway serves from, and pushes it where it differs from the last.
/// </summary>
internal sealed class GatewayPush
{
    private readonly GatewayState _gateway;
    private readonly IGatewayKeys _keys;
    private readonly ReplicaProber _prober;
    private readonly ProviderBook _providers;
    private readonly GatewayOptions _options;
    private readonly GatewayBoard _gateways;
    private readonly Lock _pushing = new();
    private List<ModelRoute>? _endpoints;
    private FrozenDictionary<string, HostRoute> _hosts = FrozenDictionary<string, HostRoute>.Empty;
    private string _last = "";
    private long _version;

    public GatewayPush(GatewayState gateway, IGatewayKeys keys, ReplicaProber prober, ProviderBook providers, GatewayOptions options, GatewayBoard gateways)
    {
        (_gateway, _keys, _prober, _providers, _options, _gateways) = (gateway, keys, prober, providers, options, gateways);
        keys.Changed += Push;
        gateways.Changed += Push;
        providers.Changed += Push;
    }

    /// <summary>What the prober shall ask, as of the last push.</summary>
    public IReadOnlyCollection<ProbeTarget> Probes { get; private set; } = [];

    public void Push(IReadOnlyList<EndpointSeen> endpoints, IReadOnlyDictionary<(EndpointId, int), Revision> revisions, IReadOnlyList<HostRow> hosts)
    {
        var probes = new List<ProbeTarget>();
        var routes = new List<ModelRoute>();
        foreach (var endpoint in endpoints)
        {
            var route = Route(endpoint, revisions, probes);
            // Every endpoint is reached by its own path; one with a model by the model's name as well.
            routes.Add(route with { Name = new ModelName(endpoint.Row.ProjectId, EndpointPaths.Prefix + endpoint.Row.Name) });
            if (endpoint.Row.Model is null || endpoint.ServesNoModel)
                continue;
            routes.Add(route);
            routes.AddRange(AdapterRoutes.Of(route, number => revisions[(endpoint.Row.Id, number)].Workload.Service?.Adapters ?? []));
        }
        // Of two endpoints with one model's name the older one has it, and a model's own name is stronger than an adapter's.
        routes = [.. routes.OrderBy(r => r.Adapter is null ? 0 : 1).ThenBy(r => r.Created).DistinctBy(r => r.Name)];
        Probes = probes;
        var routed = hosts.Join(endpoints, host => host.EndpointId, seen => seen.Row.Id, (host, seen) =>
            KeyValuePair.Create(host.Host, new HostRoute(seen.Row.ProjectId, seen.Row.Name, seen.ServesNoModel ? null : seen.Row.Model))).ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);
        lock (_pushing)
            (_endpoints, _hosts) = (routes, routed);
        Push();
    }

    /// <summary>
    /// Keys and providers change at once; endpoints stay as they were seen last. Nothing goes out before endpoints and providers were
    /// both read: a gateway that knew only one of them would refuse the other's models as unknown, where it makes clients of a server
    /// that has just begun wait.
    /// </summary>
    private void Push()
    {
        lock (_pushing)
        {
            if (_endpoints is not { } endpoints || _providers.Version == 0)
                return;
            var now = string.Create(CultureInfo.InvariantCulture, $"{Fingerprint(endpoints, _hosts)}/{_keys.Version}/{_providers.Version}/{_gateways.Parties}");
            if (now == _last)
                return;
            _last = now;
            var routes = ProviderRoutes.Merge(endpoints, _providers.Targets());
            var keys = _keys.All().Select(key => key with { Limits = SliceDecision.RateShare(key.Limits, _gateways.Parties) });
            _gateway.Push(new GatewaySnapshot(++_version, routes.ToFrozenDictionary(r => r.Name), keys.ToFrozenDictionary(k => k.Id)) { Hosts = _hosts });
        }
    }

    private ModelRoute Route(EndpointSeen seen, IReadOnlyDictionary<(EndpointId, int), Revision> revisions, List<ProbeTarget> probes)
    {
        var (row, settings) = (seen.Row, seen.Row.Settings.Value);
        var weights = RolloutDecision.Weights(EndpointTurn.Facts(seen, row, [.. seen.Replicas.Select(r => r.Row)]));
        var numbers = seen.Replicas.Select(r => r.Row.Revision).Append(row.Revision).Distinct().Order();
        var targets = new List<RouteTarget>();
        foreach (var number in numbers)
        {
            if (!revisions.TryGetValue((row.Id, number), out var revision))
                continue;
            var replicas = seen.Replicas.Where(r => r.Row.Revision == number).Select(r => Replica(r, revision, settings)).OfType<ReplicaSpec>().ToList();
            var upstream = revision.UpstreamModel(row.Model);
            probes.AddRange(replicas.Where(r => !r.Draining)
                .Select(r => new ProbeTarget(r, revision.Workload.Service, upstream) { GuessesModel = revision.GuessesModel }));
            if (revision.GuessesModel && upstream is not null)
                upstream = replicas.Select(r => _prober.Of(r.Task)?.Served).FirstOrDefault(served => served is { Length: > 0 }) ?? upstream;
            targets.Add(new PoolTarget
            {
                Endpoint = row.Id, Revision = number, UpstreamModel = upstream ?? row.Name, Replicas = replicas, Weight = weights.GetValueOrDefault(number),
            });
        }
        return new ModelRoute
        {
            Name = new ModelName(row.ProjectId, row.Model ?? ""),
            Targets = targets,
            Fallbacks = settings.Fallbacks,
            Mirror = revisions.GetValueOrDefault((row.Id, row.Revision))?.Mirror,
            ContextLength = settings.ContextLength,
            Prices = new TokenPrices(Money.FromUsd(settings.InputPrice), Money.FromUsd(settings.OutputPrice)),
            Created = row.CreatedAt,
        };
    }

    private ReplicaSpec? Replica(ReplicaSeen seen, Revision revision, EndpointSettings settings)
    {
        if (seen.Task is not { State: TaskState.Running or TaskState.Stopping } task)
            return null;
        var port = ServicePort.Of(revision.Workload, task.Task);
        var host = task.Address.Contains(':', StringComparison.Ordinal) ? $"[{task.Address}]" : task.Address;
        return new ReplicaSpec
        {
            Task = task.Task,
            Address = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://{host}:{port}")),
            GrpcPort = ServicePort.GrpcOf(revision.Workload, task.Task),
            Ready = seen.Row.Phase == ReplicaPhase.Ready && seen.Probe is { Ready: true },
            Draining = seen.Row.Phase is ReplicaPhase.Draining or ReplicaPhase.Stopping,
            MostRequests = settings.ReplicaConcurrency,
            // Differences of a millisecond are noise and would make every snapshot a new one.
            LatencyMs = MathF.Round((_prober.Of(task.Task)?.LatencyMs ?? 0) / 5) * 5,
            Place = task.Node,
            Tunnelled = !_options.DirectReplicas,
        };
    }

    private static string Fingerprint(List<ModelRoute> routes, FrozenDictionary<string, HostRoute> hosts) => JsonSerializer.Serialize(new
    {
        Routes = routes.Select(r => new { r.Name.Project, r.Name.Model, r.Adapter, r.Mirror, r.Fallbacks, r.ContextLength, r.Prices, Targets = r.Targets.OfType<PoolTarget>().ToList() }),
        Hosts = hosts.OrderBy(h => h.Key, StringComparer.Ordinal).Select(h => new { h.Key, h.Value }),
    });
}

/// <summary>Where an endpoint's own port is reached through the gateway.</summary>
internal static class EndpointPaths
{
    /// <summary>Before the name of an endpoint without a model; no model's name has a slash first.</summary>
    public const string Prefix = "/endpoints/";
}
