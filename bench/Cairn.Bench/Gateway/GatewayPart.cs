using System.Collections.Frozen;
using System.Globalization;
using Cairn.Bench.Servers;
using Cairn.Contracts.Ids;
using Cairn.Contracts.Units;
using Cairn.Serving;
using Cairn.Serving.Gateway;
using Cairn.Serving.Gateway.Calls;
using Cairn.Serving.Gateway.Limits;
using Cairn.Serving.Gateway.Listening;
using Cairn.Serving.Gateway.OpenAi;
using Cairn.Serving.Gateway.Pools;
using Cairn.Serving.Gateway.Snapshots;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Yarp.ReverseProxy.Forwarder;

namespace Cairn.Bench.Gateway;

/// <summary>What the load talks to, each in a process of its own: the mock upstream, the gateway with keys, limits and budgets on, YARP alone. Ends with its input.</summary>
internal static class GatewayPart
{
    private static readonly DateTimeOffset s_now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>Arguments: <c>upstream</c>; <c>gateway UPSTREAM KEYS MODELS REPLICAS</c>; <c>yarp UPSTREAM</c>. Writes its address.</summary>
    public static async Task<bool> RunAsync(string[] args)
    {
        await using var app = args[0] switch
        {
            "upstream" => LoopbackHost.Build(app => app.Run(MockUpstream.AnswerAsync)),
            "gateway" => Gateway(new Uri(args[1]), Number(args[2]), Number(args[3]), Number(args[4])),
            "yarp" => Yarp(args[1]),
            _ => throw new ArgumentException($"There is no part '{args[0]}'; expected upstream, gateway or yarp.", nameof(args)),
        };
        await app.StartAsync();
        Console.WriteLine(LoopbackHost.AddressOf(app));
        await Console.In.ReadToEndAsync();
        Environment.Exit(0); // Streams that are under way are of no interest any more.
        return true;
    }

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);

    private static WebApplication Gateway(Uri upstream, int keys, int models, int replicas)
    {
        var options = new GatewayOptions();
        var state = new GatewayState(options);
        var usage = new UsageBook();
        _ = TakeAsync(usage);
        var gateway = new InferenceGateway(options, state, usage, new EndpointActivities(TimeProvider.System), TimeProvider.System);
        state.Push(Snapshot(upstream, keys, models, replicas));
        return LoopbackHost.Build(
            app =>
            {
                app.UseServing();
                app.MapOpenAi(gateway);
            },
            services => services.AddSingleton(gateway).AddSingleton(state).AddSingleton(options).AddSingleton(TimeProvider.System),
            web => web.UseGatewaySockets());
    }

    /// <summary>Takes the sums as often as the ledger does; a gateway whose sums nobody takes holds one for every pair of a key and a model.</summary>
    private static async Task TakeAsync(UsageBook usage)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1));
        while (await timer.WaitForNextTickAsync())
            usage.Take();
    }

    private static WebApplication Yarp(string upstream)
    {
        var invoker = new HttpMessageInvoker(new SocketsHttpHandler
        {
            UseProxy = false, AllowAutoRedirect = false, UseCookies = false, ActivityHeadersPropagator = null,
        });
        return LoopbackHost.Build(
            app =>
            {
                var forwarder = app.Services.GetRequiredService<IHttpForwarder>();
                app.Run(async context => await forwarder.SendAsync(context, upstream, invoker));
            },
            services => services.AddHttpForwarder());
    }

    /// <summary>Models whose replicas are all the one mock, the first with as many as are left, and keys under a project's key with every kind of limit.</summary>
    private static GatewaySnapshot Snapshot(Uri upstream, int keys, int models, int replicas)
    {
        var project = ProjectId.New(s_now);
        var limits = new KeyLimits
        {
            RequestsPerMinute = 100_000_000, TokensPerMinute = 100_000_000_000, ParallelRequests = 100_000, Budget = Money.FromUsd(1_000_000_000), Period = BudgetPeriod.Monthly,
        };
        var parent = new GatewayKey { Id = KeyId.New(s_now), Name = "project", SecretHash = new byte[32], Project = project, Limits = limits };
        var children = Enumerable.Range(0, keys).Select(i => new GatewayKey
        {
            Id = BenchKeys.At(i).Id, Name = "bench", SecretHash = BenchKeys.At(i).SecretHash(), Project = project, Limits = limits, Parent = parent.Id, Models = ["tiny*"],
        });
        var routes = Enumerable.Range(0, models).Select(i => new ModelRoute
        {
            Name = new ModelName(project, i == 0 ? "tiny" : string.Create(CultureInfo.InvariantCulture, $"tiny{i}")),
            Prices = new TokenPrices(Money.FromUsd(1), Money.FromUsd(2)), ContextLength = 8192,
            Targets =
            [
                new PoolTarget
                {
                    Endpoint = EndpointId.New(s_now), Revision = 1, UpstreamModel = "up",
                    Replicas = [.. Enumerable.Range(0, i == 0 ? replicas - models + 1 : 1).Select(_ => new ReplicaSpec { Task = TaskId.New(s_now), Address = upstream, Ready = true })],
                },
            ],
        });
        return new GatewaySnapshot(1, routes.ToFrozenDictionary(r => r.Name), children.Append(parent).ToFrozenDictionary(k => k.Id));
    }
}
