using System.Collections.Frozen;
using System.Globalization;
using System.Net.Http.Headers;
using Cairn.Bench.Engine;
using Cairn.Bench.Servers;
using Cairn.Contracts.Identity;
using Cairn.Contracts.Ids;
using Cairn.Serving.Gateway;
using Cairn.Serving.Gateway.Calls;
using Cairn.Serving.Gateway.Limits;
using Cairn.Serving.Gateway.OpenAi;
using Cairn.Serving.Gateway.Pools;
using Cairn.Serving.Gateway.Snapshots;
using Microsoft.AspNetCore.Builder;

namespace Cairn.Bench.Prefixes;

/// <summary>
/// Four engines, each a process of its own with one thread, behind one gateway with its defaults. A model <see cref="Shared"/> has all four as replicas, so the router
/// chooses; one more model for each engine has that one alone, so a client that names one of these at random routes at random, and all else is the same.
/// </summary>
internal sealed class PrefixRoutingWorld : IAsyncDisposable
{
    public const int Engines = 4;
    public const string Shared = "shared";
    private static readonly DateTimeOffset s_now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private readonly List<EngineProcess> _engines = [];
    private readonly WebApplication _app;
    private readonly InferenceGateway _gateway;

    private PrefixRoutingWorld(WebApplication app, InferenceGateway gateway) => (_app, _gateway) = (app, gateway);

    public HttpClient Http { get; private set; } = null!;

    public static string Alone(int engine) => string.Create(CultureInfo.InvariantCulture, $"alone{engine}");

    /// <param name="cacheMiB">Of finished prefixes, each engine.</param>
    public static async Task<PrefixRoutingWorld> StartAsync(int cacheMiB)
    {
        var options = new GatewayOptions();
        var state = new GatewayState(options);
        var gateway = new InferenceGateway(options, state, new UsageBook(), new EndpointActivities(TimeProvider.System), TimeProvider.System);
        var app = LoopbackHost.Build(app => app.MapOpenAi(gateway));
        await app.StartAsync();
        var world = new PrefixRoutingWorld(app, gateway);
        try
        {
            var cache = string.Create(CultureInfo.InvariantCulture, $"{cacheMiB}MiB");
            for (var i = 0; i < Engines; i++)
                world._engines.Add(await EngineProcess.StartAsync(BenchModels.ForPrefixes(), "--name", "m", "--threads", "1", "--prefix-cache", cache));
            world.Listen(state);
            return world;
        }
        catch
        {
            await world.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        Http?.Dispose();
        await _app.DisposeAsync();
        _gateway.Dispose();
        foreach (var engine in _engines)
            await engine.DisposeAsync();
    }

    private void Listen(GatewayState state)
    {
        var (project, key) = (ProjectId.New(s_now), ApiKey.New(s_now));
        var replicas = _engines.Select(engine => new ReplicaSpec { Task = TaskId.New(s_now), Address = engine.Address, Ready = true }).ToList();
        var routes = replicas.Select((replica, i) => Route(project, Alone(i), [replica])).Append(Route(project, Shared, replicas));
        var keys = new[] { new GatewayKey { Id = key.Id, Name = "bench", SecretHash = key.SecretHash(), Project = project, Limits = new KeyLimits() } };
        state.Push(new GatewaySnapshot(1, routes.ToFrozenDictionary(r => r.Name), keys.ToFrozenDictionary(k => k.Id)));
        Http = new HttpClient { BaseAddress = new Uri(LoopbackHost.AddressOf(_app)) };
        Http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key.ToString());
    }

    private static ModelRoute Route(ProjectId project, string model, IReadOnlyList<ReplicaSpec> replicas) => new()
    {
        Name = new ModelName(project, model),
        Targets = [new PoolTarget { Endpoint = EndpointId.New(s_now), Revision = 1, UpstreamModel = "m", Replicas = replicas }],
    };
}
