using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Cairn.Contracts.Identity;
using Cairn.Contracts.Ids;
using Cairn.Contracts.Units;
using Cairn.Serving.Certificates;
using Cairn.Serving.Gateway;
using Cairn.Serving.Gateway.Anthropic;
using Cairn.Serving.Gateway.Calls;
using Cairn.Serving.Gateway.Entering;
using Cairn.Serving.Gateway.Limits;
using Cairn.Serving.Gateway.Listening;
using Cairn.Serving.Gateway.OpenAi;
using Cairn.Serving.Gateway.OpenInference;
using Cairn.Serving.Gateway.OpenInference.Grpc;
using Cairn.Serving.Gateway.PassingThrough;
using Cairn.Serving.Gateway.Pools;
using Cairn.Serving.Gateway.Responses;
using Cairn.Serving.Gateway.Snapshots;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Yarp.ReverseProxy.Forwarder;

namespace Cairn.Serving.Tests.Gateway;

/// <summary>The gateway on loopback with one project, one key and the models that a test gives it.</summary>
internal sealed class GatewayHost : IAsyncDisposable, IWakesEndpoints
{
    private static readonly DateTimeOffset s_now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private readonly WebApplication _app;
    private readonly Upstream _upstream;
    private long _version;

    private GatewayHost(GatewayOptions options, IKeepsResponses? responses, ITunnels? tunnels, Action<IEndpointRouteBuilder, InferenceGateway>? map, CertificateBook? certificates)
    {
        Project = ProjectId.New(s_now);
        Key = ApiKey.New(s_now);
        State = new GatewayState(options);
        Gateway = new InferenceGateway(options, State, new UsageBook(), new EndpointActivities(TimeProvider.System), TimeProvider.System, waker: this, responses: responses);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        ClearTextHttp2.AddTo(builder.Services);
        if (certificates is not null)
            builder.Services.AddSingleton(certificates);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            var http2 = new ClearTextHttp2();
            if (certificates is null)
                kestrel.Listen(IPAddress.Loopback, 0, http2.Sniff);
            else
                kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseServedCertificates());
            http2.Listen(kestrel);
        });
        builder.Services.AddHttpForwarder();
        _upstream = new Upstream(options, tunnels);
        _app = builder.Build();
        _app.UseMiddleware<GatewayEntry>(State, options, TimeProvider.System);
        _app.UseRouting();
        var forwarder = _app.Services.GetRequiredService<IHttpForwarder>();
        var desk = new OpenInferenceDesk(Gateway, this, options, TimeProvider.System);
        var server = new ServerAnswers(Gateway, desk);
        server.Map(_app);
        new OpenInferenceForward(Gateway, desk, _upstream, forwarder, options).Map(_app);
        new GrpcForward(Gateway, desk, server, _upstream, options).Map(_app);
        new EndpointForward(Gateway, _upstream, forwarder, this, options, TimeProvider.System).Map(_app);
        _app.MapOpenAi(Gateway);
        _app.MapAnthropic(Gateway);
        map?.Invoke(_app, Gateway);
    }

    public ProjectId Project { get; set; }

    public ApiKey Key { get; private set; }

    public GatewayState State { get; }

    public InferenceGateway Gateway { get; }

    public List<EndpointId> Woken { get; } = [];

    /// <summary>Requests that counted as queued at each wake-up.</summary>
    public ConcurrentQueue<double> QueuedWhenWoken { get; } = [];

    public HttpClient Client { get; private set; } = null!;

    public List<ModelRoute> Models { get; } = [];

    public Dictionary<string, HostRoute> Hosts { get; } = [];

    public List<GatewayKey> OtherKeys { get; } = [];

    public KeyLimits Limits { get; set; } = KeyLimits.None;

    public IReadOnlyList<string> AllowedModels { get; set; } = [];

    public static async Task<GatewayHost> StartAsync(Action<GatewayOptions>? change = null, IKeepsResponses? responses = null,
        Action<IEndpointRouteBuilder, InferenceGateway>? map = null, ApiKey? key = null, ITunnels? tunnels = null,
        CertificateBook? certificates = null)
    {
        var options = new GatewayOptions();
        change?.Invoke(options);
        var host = new GatewayHost(options, responses, tunnels, map, certificates);
        host.Key = key ?? host.Key;
        await host._app.StartAsync();
        host.Client = new HttpClient { BaseAddress = new Uri(host._app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First()) };
        host.Client.DefaultRequestHeaders.Authorization = new("Bearer", host.Key.ToString());
        return host;
    }

    public void Wake(EndpointId endpoint)
    {
        QueuedWhenWoken.Enqueue(Gateway.Activities.MeterOf(endpoint).Read((load, _) => load.Current.Queued));
        lock (Woken)
            Woken.Add(endpoint);
    }

    /// <summary>Serves a model from replicas, at a dollar per million tokens each way.</summary>
    public ModelRoute Serve(string model, params FakeReplica[] replicas) => Serve(model, r => r, replicas);

    public ModelRoute Serve(string model, Func<ModelRoute, ModelRoute> change, params FakeReplica[] replicas)
    {
        var route = change(new ModelRoute
        {
            Name = new ModelName(Project, model),
            Prices = new TokenPrices(Money.FromUsd(1), Money.FromUsd(1)),
            DefaultOutputTokens = 100,
            Targets = [new PoolTarget { Endpoint = EndpointId.New(s_now), Revision = 1, UpstreamModel = "up", Replicas = [.. replicas.Select(Spec)] }],
        });
        Models.RemoveAll(m => m.Name == route.Name);
        Models.Add(route);
        Push();
        return route;
    }

    /// <summary>Serves an endpoint at its own path.</summary>
    public ModelRoute ServePath(string name, params FakeReplica[] replicas) => Serve("/endpoints/" + name, replicas);

    /// <summary>Serves a model from one provider outside.</summary>
    public void Outside(string model, FakeReplica provider, ApiDialect dialect)
    {
        Models.Add(new ModelRoute
        {
            Name = new ModelName(Project, model),
            Prices = new TokenPrices(Money.FromUsd(1), Money.FromUsd(1)),
            DefaultOutputTokens = 100,
            Targets = [new ProviderTarget { Name = "out", BaseUrl = new Uri(provider.Address, "/v1"), Dialect = dialect, Credential = "secret", UpstreamModel = "up" }],
        });
        Push();
    }

    public static ReplicaSpec Spec(FakeReplica replica) => new() { Task = TaskId.New(s_now), Address = replica.Address, Ready = true, Place = "here" };

    public void Push()
    {
        var key = new GatewayKey
        {
            Id = Key.Id, Name = "test", SecretHash = Key.SecretHash(), Project = Project, Limits = Limits, Models = AllowedModels,
        };
        State.Push(new GatewaySnapshot(++_version, Models.ToFrozenDictionary(m => m.Name), new[] { key }.Concat(OtherKeys).ToFrozenDictionary(k => k.Id))
        {
            Hosts = Hosts.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase),
        });
    }

    public Task<HttpResponseMessage> PostAsync(string path, string json, CancellationToken cancellationToken = default) =>
        Client.PostAsync(path, new StringContent(json, Encoding.UTF8, "application/json"), cancellationToken);

    public Task<HttpResponseMessage> ChatAsync(string model, string text = "Hi", string more = "") =>
        PostAsync("/v1/chat/completions", $$"""{"model":"{{model}}","messages":[{"role":"user","content":"{{text}}"}]{{more}}}""");

    public async Task<HttpResponseMessage> StreamAsync(string model, string more = "", CancellationToken cancellationToken = default) =>
        await Client.SendAsync(new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions")
        {
            Content = new StringContent($$"""{"model":"{{model}}","messages":[{"role":"user","content":"Hi"}],"stream":true{{more}}}""", Encoding.UTF8, "application/json"),
        }, HttpCompletionOption.ResponseHeadersRead, cancellationToken);

    public static async Task<JsonNode> JsonOf(HttpResponseMessage response) => JsonNode.Parse(await response.Content.ReadAsStringAsync())!;

    /// <summary>The usage of one subject once so many of its requests are booked: an answer reaches the client a moment before.</summary>
    public async Task<(UsageSubject Subject, UsageSum Sum)> BookedAsync(int requests = 1)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TimeSpan.FromMinutes(2));
        var (subject, sum) = ((UsageSubject?)null, default(UsageSum));
        while (sum.Requests < requests)
        {
            foreach (var (key, value) in Gateway.Usage.Take())
            {
                Assert.True(subject is null || subject == key, $"{key} was booked beside {subject}");
                (subject, sum) = (key, sum + value);
            }
            await Task.Delay(1, limit.Token);
        }
        return (subject!.Value, sum);
    }

    /// <summary>The key's account, whose reservations must all come back.</summary>
    public KeyAccount Account => State.FindKey(Key.Id)!.Value.Account;

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.DisposeAsync();
        Gateway.Dispose();
        _upstream.Dispose();
    }
}
