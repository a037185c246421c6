using Cairn.Contracts.Api;
using Cairn.Contracts.Offers;
using Cairn.Fleet.Jobs;
using Cairn.Fleet.Leasing;
using Cairn.Fleet.Link;
using Cairn.Fleet.Logs;
using Cairn.Fleet.Nodes;
using Cairn.Fleet.Outputs;
using Cairn.Fleet.Placement;
using Cairn.Fleet.Secrets;
using Cairn.Fleet.Work;
using Cairn.State;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Cairn.Fleet;

/// <summary>Puts the fleet into a host.</summary>
public static class FleetHosting
{
    /// <summary>
    /// Adds nodes, jobs and what moves them. The host adds a <see cref="Store"/> with <see cref="FleetMigrations"/>, an
    /// <see cref="IBlobs"/>,
    /// an <see cref="IFundsHold"/>, a <see cref="TimeProvider"/>, and puts a <see cref="Contracts.Identity.Caller"/> among the features of
    /// every request.
    /// </summary>
    /// <param name="services">The host's.</param>
    /// <param name="options">Of the fleet.</param>
    /// <param name="catalog">Finds the catalogue's offer by provider, region and instance type; null where unknown.</param>
    /// <exception cref="ArgumentException">Options are wrong; the message has every error.</exception>
    public static IServiceCollection AddFleet(
        this IServiceCollection services, FleetOptions options, Func<IServiceProvider, Func<string, string, string, Offer?>> catalog)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.Validate() is { Count: > 0 } errors)
            throw new ArgumentException(string.Join(" ", errors), nameof(options));
        services.AddSingleton(options);
        services.AddSingleton<CatalogOffer>(provider =>
        {
            var find = catalog(provider);
            return (name, region, instanceType) => find(name, region, instanceType);
        });
        services.AddFleetNodes(options.Link, options.Nodes, options.Logs);
        return services.AddFleetJobs(options);
    }

    /// <summary>A token for a machine that the host itself lets in.</summary>
    /// <exception cref="InvalidOperationException">The port for nodes is not open, or the request is wrong.</exception>
    public static async Task<string> CreateJoinTokenAsync(this IServiceProvider services, CreateJoinTokenRequest request, CancellationToken cancellationToken)
    {
        var (made, problem) = await services.GetRequiredService<JoinTokens>().CreateAsync(request, cancellationToken);
        return made?.Token ?? throw new InvalidOperationException(problem!.Message);
    }

    /// <summary>Maps the fleet's REST endpoints under <c>/api/v1</c>, and the gRPC endpoint of nodes.</summary>
    public static void MapFleet(this IEndpointRouteBuilder routes)
    {
        routes.MapFleetNodes();
        var api = routes.MapGroup("/api/v1");
        JobEndpoints.Map(api);
        OutputEndpoints.Map(api);
    }

    private static IServiceCollection AddFleetJobs(this IServiceCollection services, FleetOptions options)
    {
        services.AddSingleton(_ => SecretSeal.Open(options.SecretKeyFile));
        services.AddSingleton(provider =>
            new NodeBoard(provider.GetRequiredService<FleetNodes>(), provider.GetRequiredService<NodeOffers>()));
        services.AddSingleton(provider => new JobRecords(provider.GetRequiredService<Store>()));
        services.AddSingleton<CurrentOffers>(provider =>
        {
            var offers = provider.GetRequiredService<NodeOffers>();
            return () => offers.Current() is var now ? (now.Version, now.Offers) : default;
        });
        services.AddSingleton<JobBoard>().AddSingleton<FleetInbox>().AddSingleton<FleetParts>();
        services.AddSingleton(provider =>
        {
            var changes = new JobChanges();
            changes.Published += provider.GetRequiredService<LogFollowers>().Wake;
            return changes;
        });
        services.AddSingleton(provider => provider.GetRequiredService<FleetNodes>().Subscribe());
        services.AddSingleton<TurnInputs>().AddSingleton<TurnOutlet>().AddSingleton<JobReconciler>();
        services.AddSingleton<WorkloadCache>().AddSingleton<PlacePlans>().AddSingleton<JobSubmission>().AddSingleton<JobFinder>();
        services.AddSingleton<JobStops>().AddSingleton<JobWaits>().AddSingleton<OutputFiles>();
        services.AddSingleton<TaskMemory>().AddSingleton<BlobRights>();
        services.AddSingleton<INodeWork, NodeWork>().AddSingleton<IJobLogs, JobLogReader>();
        services.AddSingleton(provider => new FleetJobs(
            provider.GetRequiredService<Store>(), provider.GetRequiredService<JobSubmission>(), provider.GetRequiredService<JobStops>(), provider.GetRequiredService<JobBoard>(),
            provider.GetRequiredService<FleetNodes>(), provider.GetRequiredService<SecretSeal>(), provider.GetRequiredService<JobChanges>()));
        services.AddSingleton<JobIntake>().AddHostedService(provider => provider.GetRequiredService<JobIntake>());
        services.AddHostedService<NodeChangeFeed>();
        return services.AddReconciler(provider =>
        {
            var (nodes, jobs) = (provider.GetRequiredService<NodeRebuild>(), provider.GetRequiredService<JobReconciler>());
            return new Reconciler(FleetInbox.Signal, async (fence, cancellationToken) =>
            {
                await nodes.TakeOverAsync(fence, cancellationToken);
                await jobs.ReconcileAsync(fence, cancellationToken);
            }) { Interval = TimeSpan.FromMinutes(1), OnlyLeader = true };
        });
    }
}
