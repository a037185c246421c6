using System.Net;
using Cairn.Contracts.Api;
using Cairn.Fleet;
using Cairn.Fleet.Leasing;
using Cairn.Fleet.Link;
using Cairn.Market;
using Cairn.Market.Funds;
using Cairn.Market.Inference;
using Cairn.Server.Bills;
using Cairn.Server.Idempotency;
using Cairn.Server.Identity;
using Cairn.Server.Plans;
using Cairn.Server.Ports;
using Cairn.Server.Problems;
using Cairn.Serving;
using Cairn.Serving.Certificates;
using Cairn.Serving.Endpoints;
using Cairn.Serving.Gateway;
using Cairn.Serving.Gateway.Listening;
using Cairn.Serving.Rollouts;
using Cairn.Serving.Usage;
using Cairn.State;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.ApiExplorer;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Cairn.Server.Hosting;

/// <summary>What stands before the layers are composed.</summary>
internal sealed record Ground(Store Store, Keyring Keyring, OfferCatalog Catalog, TimeProvider Time);

/// <summary>Composes a control plane as one web application: every layer's services and routes, and what listens.</summary>
internal static class ControlPlane
{
    /// <summary>How long nobody leads after a leader died; as long may one pause and go on leading.</summary>
    private static readonly TimeSpan s_leadTime = TimeSpan.FromSeconds(15);

    public static WebApplication Build(ServerOptions options, DataFolder folder, Ground ground, Action<ILoggingBuilder> logging)
    {
        // Nothing is read from files of settings; watching for them would watch every log and blob below the data folder.
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions
        {
            ContentRootPath = folder.Path,
            Args = ["--hostBuilder:reloadConfigOnChange=false"],
        });
        logging(builder.Logging);
        builder.Services.AddSingleton<IHostLifetime, NoSignals>();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(5));
        // A body or query that cannot be read comes to UnexpectedErrors, which says what is wrong with it; else the answer would be empty.
        builder.Services.Configure<RouteHandlerOptions>(routes => routes.ThrowOnBadRequest = true);
        builder.Services.ConfigureHttpJsonOptions(json => ApiJson.Configure(json.SerializerOptions));
        builder.Services.AddSingleton(ground.Time).AddSingleton(ground.Store).AddSingleton(ground.Keyring).AddSingleton(ground.Catalog);
        AddLayers(builder.Services, options, folder, ground);
        builder.Services.AddOpenApi("v1", document => document.ShouldInclude = IsOfApi);
        builder.Services.AddPrometheusMetrics();
        ClearTextHttp2.AddTo(builder.Services);
        builder.WebHost.UseGatewaySockets().ConfigureKestrel(kestrel => Listen(kestrel, options));
        var app = builder.Build();
        app.Services.BeginCertificates();
        app.UseServing();
        app.UseMiddleware<UnexpectedErrors>();
        app.UseMiddleware<Authentication>();
        app.UseMiddleware<IdempotentReplies>();
        app.MapOpenApi("/openapi/{documentName}.json");
        app.MapPrometheusMetrics();
        app.MapGet("/healthz", HealthAsync);
        app.MapIdentity();
        app.MapPlans();
        app.MapBills();
        app.MapFleet();
        app.MapServing();
        return app;
    }

    private static bool IsOfApi(ApiDescription description) =>
        description.RelativePath?.StartsWith("api/", StringComparison.Ordinal) == true;

    private static async Task<string> HealthAsync(Store rows, CancellationToken cancellationToken) =>
        await rows.ReadAsync(session => session.Scalar<long>("SELECT 1"), cancellationToken) == 1 ? "ok" : "failed";

    private static void AddLayers(IServiceCollection services, ServerOptions options, DataFolder folder, Ground ground)
    {
        services.AddSingleton<IBlobs>(_ => new FolderBlobs(folder.Blobs, ground.Time));
        services.AddSingleton(new MarketOptions { FeePercent = options.FeePercent });
        services.AddSingleton<JobFunds>();
        services.AddSingleton<IFundsHold, FundsHold>();
        services.AddSingleton<OfferBoard>();
        var fleet = new FleetOptions
        {
            SecretKeyFile = Path.Combine(folder.Keys, "secrets.key"),
            Link = new NodeLinkOptions
            {
                AdvertisedHost = Advertised(options),
                CertificateFolder = folder.Keys,
                CertificateNames = options.PublicName is null ? [] : [options.PublicName],
            },
            Nodes = options.Silence(),
            Logs = new() { Folder = folder.Logs },
        };
        if (options.Database is not null)
            services.AddLeadership(s_leadTime);
        services.AddFleet(fleet, _ => ground.Catalog.Find);
        services.AddReconciler(_ => new Reconciler(Keyring.Signal, (_, token) => ground.Keyring.LoadAsync(token))
        {
            Interval = TimeSpan.FromSeconds(15),
        });
        services.AddSingleton<IGatewayKeys, GatewayKeys>();
        services.AddSingleton<InferenceFunds>().AddSingleton<IInferenceCharges, InferenceCharges>();
        services.AddCertificates(options.Tls);
        services.AddSingleton(options.Batches).AddSingleton(options.Files);
        services.AddServing(
            new GatewayOptions { DirectReplicas = options.DirectReplicas, OwnHosts = OwnHosts(options) },
            new RolloutOptions(),
            shared: options.Database is not null);
    }

    private static void Listen(KestrelServerOptions kestrel, ServerOptions options)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestBodySize = 16 << 20;
        kestrel.UseLinkLimits();
        var clearText = new ClearTextHttp2();
        kestrel.Listen(options.Http, listen =>
        {
            if (options.Tls.IsGiven)
                listen.UseServedCertificates();
            else
                clearText.Sniff(listen);
        });
        kestrel.Listen(options.Grpc, listen => listen.UseLinkCertificates());
        if (options.Tls.Acme is not null)
            kestrel.ListenForAcme(options.AcmeHttp ?? new IPEndPoint(options.Http.Address, 80));
        clearText.Listen(kestrel);
    }

    private static string Advertised(ServerOptions options)
    {
        var any = options.Grpc.Address.Equals(IPAddress.Any) || options.Grpc.Address.Equals(IPAddress.IPv6Any);
        return options.PublicName ?? (any ? Dns.GetHostName() : options.Grpc.Address.ToString());
    }

    private static IReadOnlyList<string> OwnHosts(ServerOptions options) =>
        options.PublicName is { } name ? [name, Dns.GetHostName()] : [Dns.GetHostName()];
}
