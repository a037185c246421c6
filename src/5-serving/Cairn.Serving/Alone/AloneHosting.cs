using Cairn.Serving.Endpoints;
using Cairn.Serving.Gateway;
using Cairn.Serving.Gateway.Anthropic;
using Cairn.Serving.Gateway.Calls;
using Cairn.Serving.Gateway.OpenAi;
using Cairn.Serving.Gateway.OpenInference;
using Cairn.Serving.Gateway.OpenInference.Grpc;
using Cairn.Serving.Gateway.PassingThrough;
using Cairn.Serving.Gateway.Pools;
using Cairn.Serving.Gateway.Responses;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Cairn.Serving.Alone;

/// <summary>Puts a gateway that runs alone into a host: the same gateway, fed and lent to by a server, and no database.</summary>
public static partial class AloneHosting
{
    /// <summary>Adds the gateway. The host adds a <see cref="TimeProvider"/>.</summary>
    /// <exception cref="ArgumentException">The options are wrong; the message names every mistake.</exception>
    /// <exception cref="IOException">Another process uses the data folder.</exception>
    public static IServiceCollection AddGatewayAlone(this IServiceCollection services, AloneOptions options, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(time);
        if (options.Validate() is { Count: > 0 } errors)
            throw new ArgumentException(string.Join(" ", errors), nameof(options));
        var gateway = new GatewayOptions { DirectReplicas = options.DirectReplicas, BorrowedBudgets = true };
        var files = new AloneFiles(options.DataFolder, time.GetUtcNow());
        services.AddSingleton(options).AddSingleton(gateway).AddSingleton(_ => files);
        services.AddSingleton<GatewayState>().AddSingleton<UsageBook>().AddSingleton(new EndpointActivities(time, keepsTimes: true));
        services.AddSingleton<ServerLink>().AddSingleton<ITunnels, TunnelsThroughServer>().AddSingleton<IKeepsResponses, KeptAtServer>();
        services.AddSingleton(provider => new Upstream(gateway, provider.GetRequiredService<ITunnels>()));
        services.AddSingleton<ReadinessCheck>().AddSingleton<EngineWatch>();
        services.AddSingleton(provider => new ReplicaProber(provider.GetRequiredService<ReadinessCheck>(), provider.GetRequiredService<IHostApplicationLifetime>(),
            provider.GetRequiredService<ILogger<ReplicaProber>>(), time));
        services.AddSingleton(_ => new Journal(files.JournalPath)).AddSingleton<AloneBook>().AddSingleton<AloneSnapshots>().AddSingleton<BudgetBorrowing>();
        services.AddSingleton<LoadWatch>().AddSingleton<FeedFollower>().AddSingleton<Explainer>().AddSingleton<PassedToServer>();
        services.AddSingleton(provider => new ReportWay(provider.GetRequiredService<ServerLink>(), files.Id, options.Name, provider.GetRequiredService<IHostApplicationLifetime>()));
        services.AddSingleton<Reporter>().AddSingleton<IWakesEndpoints>(provider => provider.GetRequiredService<Reporter>());
        services.AddSingleton(provider => new InferenceGateway(gateway, provider.GetRequiredService<GatewayState>(), provider.GetRequiredService<UsageBook>(),
            provider.GetRequiredService<EndpointActivities>(), time, provider.GetRequiredService<ITunnels>(), provider.GetRequiredService<IWakesEndpoints>(),
            provider.GetRequiredService<IKeepsResponses>()) { Budgets = provider.GetRequiredService<BudgetBorrowing>() });
        services.AddHttpForwarder();
        services.AddSingleton<EndpointForward>().AddSingleton<OpenInferenceDesk>().AddSingleton<OpenInferenceForward>().AddSingleton<ServerAnswers>().AddSingleton<GrpcForward>();
        // The end is the reverse of the beginning: the feed ends first, and the last report comes after the listener.
        services.AddHostedService(provider => provider.GetRequiredService<Reporter>());
        return services.AddHostedService(provider => provider.GetRequiredService<FeedFollower>());
    }

    /// <summary>Maps what clients of models call, and <c>/healthz</c>; begins to serve from what is on disk.</summary>
    /// <returns>Whether there was something on disk.</returns>
    public static bool MapGatewayAlone(this IEndpointRouteBuilder routes)
    {
        var services = routes.ServiceProvider;
        Connect(services);
        services.GetRequiredService<EndpointForward>().Map(routes);
        services.GetRequiredService<OpenInferenceForward>().Map(routes);
        services.GetRequiredService<ServerAnswers>().Map(routes);
        services.GetRequiredService<GrpcForward>().Map(routes);
        var gateway = services.GetRequiredService<InferenceGateway>();
        routes.MapOpenAi(gateway);
        routes.MapAnthropic(gateway);
        services.GetRequiredService<PassedToServer>().Map(routes);
        var link = services.GetRequiredService<ServerLink>();
        routes.MapGet("/healthz", () => gateway.State.Snapshot.Version == 0
            ? Results.Text("no snapshot yet", statusCode: StatusCodes.Status503ServiceUnavailable)
            : Results.Text(link.IsAway ? "ok, the server is away" : "ok"));
        return services.GetRequiredService<AloneSnapshots>().Begin();
    }

    /// <summary>Why the server refused this gateway for good; null where it did not.</summary>
    public static string? RefusalOf(IServiceProvider services) => services.GetRequiredService<FeedFollower>().Refusal;

    private static void Connect(IServiceProvider services)
    {
        var (feed, reporter, book) = (services.GetRequiredService<FeedFollower>(), services.GetRequiredService<Reporter>(), services.GetRequiredService<AloneBook>());
        var (snapshots, logger) = (services.GetRequiredService<AloneSnapshots>(), services.GetRequiredService<ILogger<AloneBook>>());
        var explainer = services.GetRequiredService<Explainer>();
        services.GetRequiredService<BudgetBorrowing>().Wanted += reporter.Soon;
        feed.Changed += away =>
        {
            if (!away)
                book.Came();
            reporter.Soon();
        };
        feed.Refused += snapshots.Forget;
        feed.Told += line =>
        {
            if (line.Explain is { } request)
            {
                explainer.Asked(request);
                return;
            }
            try
            {
                if (line.Snapshot is { } snapshot)
                    snapshots.Take(snapshot);
            }
            catch (IOException full)
            {
                LogUnkept(logger, full);
            }
            reporter.Soon();
        };
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "The snapshot could not be written to disk; a restart while the server is away begins with an older one")]
    private static partial void LogUnkept(ILogger logger, Exception error);
}
