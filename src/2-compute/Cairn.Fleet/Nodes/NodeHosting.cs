using Cairn.Fleet.Blobs;
using Cairn.Fleet.Link;
using Cairn.Fleet.Logs;
using Cairn.Fleet.Tunnels;
using Cairn.State;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Cairn.Fleet.Nodes;

/// <summary>Composes nodes, their link, logs and blobs.</summary>
internal static class NodeHosting
{
    /// <summary>
    /// Needs a <see cref="Store"/> with <see cref="NodeMigrations"/>, an <see cref="IBlobs"/>, a <see cref="TimeProvider"/>, and the ports
    /// <see cref="INodeWork"/>, <see cref="IJobLogs"/> and <see cref="CatalogOffer"/>.
    /// </summary>
    /// <exception cref="ArgumentException">Options are wrong; the message has every error.</exception>
    public static IServiceCollection AddFleetNodes(this IServiceCollection services, NodeLinkOptions link, NodeOptions nodes,
        LogOptions logs)
    {
        string[] errors = [.. link.Validate(), .. nodes.Validate(), .. logs.Validate()];
        if (errors.Length > 0)
            throw new ArgumentException(string.Join(" ", errors));
        services.AddSingleton(link).AddSingleton(nodes).AddSingleton(logs);
        services.AddSingleton(provider => LinkCertificates.LoadOrCreate(link, provider.GetRequiredService<TimeProvider>().GetUtcNow()));
        services.AddSingleton<FleetNodes>().AddSingleton<NodeLinks>().AddSingleton<Enrolment>().AddSingleton<JoinTokens>();
        services.AddSingleton<NodeOffers>().AddSingleton<NodeViews>().AddSingleton<NodeInstruments>();
        services.AddSingleton<HealthReconciler>().AddSingleton<Sightings>();
        services.AddSingleton<LogFiles>().AddSingleton<LogFollowers>().AddSingleton<LogIngest>().AddSingleton<LogDelivery>()
            .AddSingleton<LogRetention>();
        services.AddSingleton<BlobTransfers>().AddSingleton<LinkParts>().AddSingleton<NodeLinkEndpoint>();
        services.AddSingleton(provider => new NodeTunnels(
            provider.GetRequiredService<NodeLinks>(), provider.GetRequiredService<INodeWork>(), link, provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<NodeTunnels>>()));
        services.AddSingleton<LinkAddress>().AddSingleton<LinkTransport>();
        services.AddSingleton<IConnectionListenerFactory>(provider => provider.GetRequiredService<LinkTransport>());
        services.AddGrpc(options =>
        {
            options.MaxReceiveMessageSize = link.MaxMessageBytes;
            options.MaxSendMessageSize = null;
        });
        services.AddSingleton<NodeRebuild>().AddHostedService(provider => provider.GetRequiredService<NodeRebuild>());
        services.AddReconciler(provider => new Reconciler("node-health", (_, _) =>
        {
            provider.GetRequiredService<HealthReconciler>().Scan();
            return Task.CompletedTask;
        }) { Interval = TimeSpan.FromSeconds(nodes.ScanSeconds), OnlyLeader = true });
        services.AddReconciler(provider => new Reconciler("node-sightings", (_, cancellationToken) =>
            provider.GetRequiredService<Sightings>().WriteNextTurnAsync(cancellationToken)) { Interval = TimeSpan.FromSeconds(1) });
        services.AddReconciler(provider => new Reconciler("log-retention", (_, cancellationToken) =>
            provider.GetRequiredService<LogRetention>().SweepAsync(cancellationToken)) { Interval = TimeSpan.FromMinutes(10), OnlyLeader = true });
        return services;
    }

    /// <summary>Maps the REST endpoints, and the gRPC endpoint of nodes.</summary>
    public static void MapFleetNodes(this IEndpointRouteBuilder routes)
    {
        routes.MapGrpcService<NodeLinkEndpoint>().AllowAnonymous();
        var api = routes.MapGroup("/api/v1");
        NodeEndpoints.Map(api);
        JoinTokenEndpoints.Map(api);
        LogEndpoints.Map(api);
        BlobEndpoints.Map(api);
    }
}
