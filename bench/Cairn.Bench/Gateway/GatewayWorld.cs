using System.Collections.Frozen;
using System.Globalization;
using System.Net;
using System.Text;
using Cairn.Contracts.Identity;
using Cairn.Contracts.Ids;
using Cairn.Contracts.Units;
using Cairn.Serving.Gateway;
using Cairn.Serving.Gateway.Calls;
using Cairn.Serving.Gateway.Limits;
using Cairn.Serving.Gateway.OpenAi;
using Cairn.Serving.Gateway.Pools;
using Cairn.Serving.Gateway.Snapshots;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Yarp.ReverseProxy.Forwarder;

namespace Cairn.Bench.Gateway;

/// <summary>A mock upstream, the gateway with keys, limits and budgets on, and YARP alone, all over real sockets in this process, so that all share the same cores.</summary>
internal sealed class GatewayWorld : IAsyncDisposable
{
    private static readonly DateTimeOffset s_now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly byte[] s_answer = Encoding.UTF8.GetBytes(
        """{"id":"c1","object":"chat.completion","created":1,"model":"up","choices":[{"index":0,"message":{"role":"assistant","content":"The answer is forty-two, as far as anybody knows."},"finish_reason":"stop"}],"usage":{"prompt_tokens":120,"completion_tokens":12,"total_tokens":132}}""");

    private readonly List<WebApplication> _apps = [];
    private readonly List<IDisposable> _others = [];

    public Uri Upstream { get; private set; } = null!;

    public Uri Gateway { get; private set; } = null!;

    public Uri Yarp { get; private set; } = null!;

    public GatewayState State { get; private set; } = null!;

    public ApiKey Key { get; } = ApiKey.New(s_now);

    public ProjectId Project { get; } = ProjectId.New(s_now);

    /// <param name="streamChunks">A streamed answer has so many events.</param>
    public static async Task<GatewayWorld> StartAsync(int streamChunks = 200)
    {
        var world = new GatewayWorld();
        world.Upstream = await world.HostAsync(_ => { }, app => app.Run(context => AnswerAsync(context, streamChunks)));
        var options = new GatewayOptions();
        world.State = new GatewayState(options);
        var gateway = new InferenceGateway(options, world.State, new UsageBook(), new EndpointActivities(TimeProvider.System), TimeProvider.System);
        world._others.Add(gateway);
        world.State.Push(world.Snapshot(1, [("tiny", 1)], []));
        world.Gateway = await world.HostAsync(_ => { }, app => app.MapOpenAi(gateway));
        var invoker = new HttpMessageInvoker(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false, UseCookies = false, ActivityHeadersPropagator = null });
        world._others.Add(invoker);
        world.Yarp = await world.HostAsync(services => services.AddHttpForwarder(), app =>
        {
            var forwarder = app.Services.GetRequiredService<IHttpForwarder>();
            app.Run(async context => await forwarder.SendAsync(context, world.Upstream.AbsoluteUri, invoker));
        });
        return world;
    }

    /// <summary>Models with so many replicas each, all of them the one mock, and keys under a project's key with every kind of limit.</summary>
    public GatewaySnapshot Snapshot(long version, IReadOnlyList<(string Model, int Replicas)> models, IReadOnlyList<ApiKey> others)
    {
        var limits = new KeyLimits
        {
            RequestsPerMinute = 100_000_000, TokensPerMinute = 100_000_000_000, ParallelRequests = 100_000, Budget = Money.FromUsd(1_000_000_000), Period = BudgetPeriod.Monthly,
        };
        var parent = new GatewayKey { Id = KeyId.New(s_now), Name = "project", SecretHash = new byte[32], Project = Project, Limits = limits };
        var keys = others.Append(Key).Select(k => new GatewayKey
        {
            Id = k.Id, Name = "bench", SecretHash = k.SecretHash(), Project = Project, Limits = limits, Parent = parent.Id, Models = ["tiny*"],
        }).Append(parent);
        var routes = models.Select(m => new ModelRoute
        {
            Name = new ModelName(Project, m.Model), Prices = new TokenPrices(Money.FromUsd(1), Money.FromUsd(2)), ContextLength = 8192,
            Targets =
            [
                new PoolTarget
                {
                    Endpoint = EndpointId.New(s_now), Revision = 1, UpstreamModel = "up",
                    Replicas = [.. Enumerable.Range(0, m.Replicas).Select(_ => new ReplicaSpec { Task = TaskId.New(s_now), Address = Upstream, Ready = true })],
                },
            ],
        });
        return new GatewaySnapshot(version, routes.ToFrozenDictionary(r => r.Name), keys.ToFrozenDictionary(k => k.Id));
    }

    /// <summary>A whole HTTP request of about 600 bytes of JSON.</summary>
    public byte[] Request(Uri to, string model = "tiny", bool stream = false, ApiKey? key = null)
    {
        var prompt = string.Concat(Enumerable.Repeat("What do you get if you multiply six by nine? ", 10));
        var body = $$"""{"model":"{{model}}","messages":[{"role":"system","content":"You are brief."},{"role":"user","content":"{{prompt}}"}],"max_tokens":64,"stream":{{(stream ? "true" : "false")}}}""";
        return Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture,
            $"POST /v1/chat/completions HTTP/1.1\r\nHost: {to.Authority}\r\nAuthorization: Bearer {key ?? Key}\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n{body}"));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var app in _apps)
            await app.DisposeAsync();
        foreach (var other in _others)
            other.Dispose();
    }

    private async Task<Uri> HostAsync(Action<IServiceCollection> services, Action<WebApplication> map)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        services(builder.Services);
        var app = builder.Build();
        map(app);
        await app.StartAsync();
        _apps.Add(app);
        return new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
    }

    private static async Task AnswerAsync(HttpContext context, int chunks)
    {
        var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body, context.RequestAborted);
        if (body.GetBuffer().AsSpan(0, (int)body.Length).IndexOf("\"stream\":true"u8) < 0)
        {
            context.Response.ContentType = "application/json";
            context.Response.ContentLength = s_answer.Length;
            await context.Response.Body.WriteAsync(s_answer, context.RequestAborted);
            return;
        }
        context.Response.ContentType = "text/event-stream";
        for (var i = 0; i < chunks; i++)
        {
            await context.Response.Body.WriteAsync(Event(i), context.RequestAborted);
            await context.Response.Body.FlushAsync(context.RequestAborted);
            await Task.Delay(50, context.RequestAborted);
        }
        await context.Response.Body.WriteAsync("data: [DONE]\n\n"u8.ToArray(), context.RequestAborted);
    }

    private static byte[] Event(int number) => Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture,
        $"data: {{\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{number:0000}\"}}}}]}}\n\n"));
}
