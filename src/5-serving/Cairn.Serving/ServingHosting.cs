using Cairn.Fleet.Jobs;
using Cairn.Serving.Batches;
using Cairn.Serving.Certificates;
using Cairn.Serving.Endpoints;
using Cairn.Serving.Gateway;
using Cairn.Serving.Gateway.Anthropic;
using Cairn.Serving.Gateway.Calls;
using Cairn.Serving.Gateway.Entering;
using Cairn.Serving.Gateway.OpenAi;
using Cairn.Serving.Gateway.OpenInference;
using Cairn.Serving.Gateway.OpenInference.Grpc;
using Cairn.Serving.Gateway.PassingThrough;
using Cairn.Serving.Gateway.Pools;
using Cairn.Serving.Gateway.Responses;
using Cairn.Serving.Gateways;
using Cairn.Serving.Providers;
using Cairn.Serving.Responses;
using Cairn.Serving.Rollouts;
using Cairn.Serving.Usage;
using Cairn.State;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Cairn.Serving;

/// <summary>Puts endpoints and the gateway into a host.</summary>
public static class ServingHosting
{
    /// <summary>
    /// Adds endpoints and what moves them, and the gateway. The host adds a <see cref="Store"/> with <see cref="ServingMigrations"/>, <see cref="IBlobs"/>, the fleet, an <see cref="IGatewayKeys"/>,
    /// an <see cref="IInferenceCharges"/> and a <see cref="TimeProvider"/>. Replicas are reached through their nodes' tunnels, unless the options say otherwise.
    /// </summary>
    /// <param name="shared">Whether other servers share the database.</param>
    public static IServiceCollection AddServing(this IServiceCollection services, GatewayOptions gateway, RolloutOptions rollouts, bool shared)
    {
        services.AddSingleton(gateway).AddSingleton(rollouts);
        services.AddSingleton<GatewayState>().AddSingleton<UsageBook>().AddSingleton<EndpointActivities>().AddSingleton<EndpointBoard>();
        services.AddSingleton<ITunnels, NodeTunnelDialer>();
        services.AddSingleton(provider => new Upstream(gateway, provider.GetService<ITunnels>()));
        services.AddSingleton<IWakesEndpoints, EndpointWaker>();
        services.AddSingleton(provider => new InferenceGateway(gateway, provider.GetRequiredService<GatewayState>(), provider.GetRequiredService<UsageBook>(),
            provider.GetRequiredService<EndpointActivities>(), provider.GetRequiredService<TimeProvider>(), provider.GetService<ITunnels>(),
            provider.GetRequiredService<IWakesEndpoints>(), provider.GetRequiredService<IKeepsResponses>()));
        services.AddSingleton<ResponseRows>().AddSingleton<IKeepsResponses>(provider => provider.GetRequiredService<ResponseRows>());
        services.AddReconciler(provider => new Reconciler(ResponseRows.Signal, (_, token) => provider.GetRequiredService<ResponseRows>().SweepAsync(token))
        {
            Interval = TimeSpan.FromMinutes(1), OnlyLeader = true,
        });
        services.AddFilesAndBatches();
        services.AddSingleton<ReadinessCheck>().AddSingleton<EngineWatch>();
        services.AddSingleton(provider => new ReplicaProber(provider.GetRequiredService<ReadinessCheck>(), provider.GetRequiredService<IHostApplicationLifetime>(),
            provider.GetRequiredService<Microsoft.Extensions.Logging.ILogger<ReplicaProber>>(), provider.GetRequiredService<TimeProvider>()));
        services.AddHttpForwarder();
        services.AddSingleton<EndpointForward>().AddSingleton<OpenInferenceDesk>().AddSingleton<OpenInferenceForward>().AddSingleton<ServerAnswers>().AddSingleton<GrpcForward>();
        services.AddUsage().AddGateways(shared).AddProviders();
        services.AddSingleton<HostClaims>().AddSingleton<GatewayPush>().AddSingleton<EndpointReconciler>().AddSingleton<EndpointIntake>().AddSingleton<EndpointReading>();
        return services.AddReconciler(provider =>
        {
            var signals = provider.GetRequiredService<Store>().Signals;
            var jobs = provider.GetRequiredService<FleetJobs>();
            jobs.Changed += _ => signals.Raise(EndpointRows.Signal);
            jobs.Loaded += () => signals.Raise(EndpointRows.Signal);
            provider.GetRequiredService<ReplicaProber>().Changed += () => signals.Raise(EndpointRows.Signal);
            return new Reconciler(EndpointRows.Signal, provider.GetRequiredService<EndpointReconciler>().ReconcileAsync)
            {
                Interval = TimeSpan.FromSeconds(1), OnlyLeader = true,
            };
        });
    }

    /// <summary>Puts the gateway's entry before everything else, and paths are matched behind it: on an endpoint's own DNS name they are that endpoint's.</summary>
    public static void UseServing(this IApplicationBuilder app)
    {
        app.UseAcme();
        app.UseMiddleware<GatewayEntry>();
        app.UseRouting();
    }

    /// <summary>Maps the REST API of endpoints under <c>/api/v1</c>, and what clients of models call under <c>/v1</c>.</summary>
    public static void MapServing(this IEndpointRouteBuilder routes)
    {
        var api = routes.MapGroup("/api/v1");
        EndpointApi.Map(api);
        ProviderApi.Map(api);
        UsageApi.Map(api);
        RequestApi.Map(api);
        CertificateReading.Map(api);
        GatewayApi.Map(api);
        routes.ServiceProvider.GetRequiredService<EndpointForward>().Map(routes);
        routes.ServiceProvider.GetRequiredService<OpenInferenceForward>().Map(routes);
        routes.ServiceProvider.GetRequiredService<ServerAnswers>().Map(routes);
        routes.ServiceProvider.GetRequiredService<GrpcForward>().Map(routes);
        var gateway = routes.ServiceProvider.GetRequiredService<InferenceGateway>();
        routes.MapOpenAi(gateway);
        routes.MapAnthropic(gateway);
        routes.MapFilesAndBatches();
    }

    /// <summary>The end of a service is the reverse of its beginning: registered before the loop, the ledger writes the last batch after it.</summary>
    private static IServiceCollection AddUsage(this IServiceCollection services) => services
        .AddSingleton<UsageLedger>().AddSingleton<UsageReading>()
        .AddHostedService(provider => provider.GetRequiredService<UsageLedger>())
        .AddReconciler(provider =>
        {
            var ledger = provider.GetRequiredService<UsageLedger>();
            return new Reconciler("usage", (_, cancellationToken) => ledger.FlushAsync(cancellationToken)) { Interval = TimeSpan.FromSeconds(1) };
        })
        .AddReconciler(provider =>
        {
            var ledger = provider.GetRequiredService<UsageLedger>();
            return new Reconciler("funds", (_, cancellationToken) => ledger.RenewFundsAsync(cancellationToken))
            {
                Signal = provider.GetRequiredService<IInferenceCharges>().FundsSignal, Interval = TimeSpan.FromSeconds(30),
            };
        });

    /// <summary>Gateways that run alone. Begins before the first snapshot: what they hold of budgets is not spent here.</summary>
    private static IServiceCollection AddGateways(this IServiceCollection services, bool shared) => services
        .AddSingleton<GatewayBoard>().AddSingleton<SliceBook>().AddSingleton<LoadsElsewhere>().AddSingleton<GatewayFeed>().AddSingleton<ExplanationsElsewhere>()
        .AddSingleton(provider => new GatewayReports(provider.GetRequiredService<Store>(), provider.GetRequiredService<GatewayState>(),
            provider.GetRequiredService<GatewayBoard>(), provider.GetRequiredService<SliceBook>(), provider.GetRequiredService<LoadsElsewhere>(),
            provider.GetRequiredService<UsageLedger>(), provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<Microsoft.Extensions.Logging.ILogger<GatewayReports>>()) { Shared = shared })
        .AddHostedService(provider => provider.GetRequiredService<GatewayReports>())
        .AddReconciler(provider => new Reconciler("gateways", (_, token) => provider.GetRequiredService<GatewayReports>().SweepAsync(token))
        {
            Interval = TimeSpan.FromMinutes(1),
        });

    private static IServiceCollection AddProviders(this IServiceCollection services)
    {
        const string name = "credential";
        services.AddSingleton(provider =>
        {
            var jobs = provider.GetRequiredService<FleetJobs>();
            return new CredentialSeal((id, secret) => jobs.Seal(id, new Dictionary<string, string> { [name] = secret }), (id, text) => jobs.Unseal(id, text)[name]);
        });
        return services.AddSingleton<ProviderBook>().AddSingleton<ProviderIntake>().AddReconciler(provider =>
        {
            var intake = provider.GetRequiredService<ProviderIntake>();
            return new Reconciler(ProviderRows.Signal, (_, cancellationToken) => intake.RenewAsync(cancellationToken));
        });
    }
}
