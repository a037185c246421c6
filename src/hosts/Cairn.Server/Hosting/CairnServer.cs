using System.Net;
using Cairn.Contracts.Api;
using Cairn.Fleet;
using Cairn.Fleet.Leasing;
using Cairn.Fleet.Link;
using Cairn.Fleet.Nodes;
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
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OpenTelemetry.Metrics;

namespace Cairn.Server.Hosting;

/// <summary>A running control plane: every layer composed, and nothing else.</summary>
public sealed class CairnServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly Store _store;

    private CairnServer(WebApplication app, Store store, string? adminKey, ServerOptions options)
    {
        _app = app;
        _store = store;
        AdminKey = adminKey;
        var addresses = app.Urls.ToList();
        HttpAddress = Readable(addresses[0]);
        GrpcAddress = new Uri(Readable(addresses[1])).Authority;
        ForClients = ClientAddress.Of(options, HttpAddress, app.Services.GetRequiredService<CertificateBook>());
    }

    /// <summary>The admin's key, where this start made it; it is kept nowhere else.</summary>
    public string? AdminKey { get; }

    /// <summary>Where the REST API answers, such as <c>http://127.0.0.1:7070</c>.</summary>
    public string HttpAddress { get; }

    /// <summary>Where nodes dial in, as <c>host:port</c>.</summary>
    public string GrpcAddress { get; }

    /// <summary>How clients on this machine call it.</summary>
    public ClientAddress ForClients { get; }

    /// <summary>
    /// Starts a control plane: (1) the data folder, (2) the store with every layer's tables, (3) identity, (4) the layers, (5) what listens.
    /// </summary>
    /// <exception cref="ArgumentException">The options are wrong; the message names every mistake.</exception>
    /// <exception cref="StoreException">The rows cannot be opened.</exception>
    public static async Task<CairnServer> StartAsync(
        ServerOptions options, TimeProvider time, Action<ILoggingBuilder> logging, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.Validate() is { Count: > 0 } errors)
            throw new ArgumentException(string.Join(" ", errors), nameof(options));

        // (1)
        var folder = new DataFolder(options.DataFolder);

        // (2)
        IReadOnlyList<Migration> migrations = [.. IdentityMigrations.All, .. FleetMigrations.All, .. MarketMigrations.All, .. ServingMigrations.All];
        var store = await Store.OpenAsync(new StoreOptions { Database = options.Database ?? folder.Database }, migrations, time, cancellationToken);
        try
        {
            // (3)
            var keyring = new Keyring(store, time);
            var adminKey = await AdminBootstrap.RunAsync(keyring, cancellationToken);

            // (4), (5)
            var catalog = await OfferCatalog.OpenAsync(folder.Path, cancellationToken);
            var app = Build(options, folder, new Ground(store, keyring, catalog, time), logging);
            await app.StartAsync(cancellationToken);
            return new CairnServer(app, store, adminKey, options);
        }
        catch
        {
            await store.DisposeAsync();
            throw;
        }
    }

    /// <summary>What it is composed of.</summary>
    internal IServiceProvider Services => _app.Services;

    /// <summary>Whether the text is a key that this control plane lets in.</summary>
    public bool Knows(string key) => _app.Services.GetRequiredService<Keyring>().Verify(key) is not null;

    /// <summary>A token by which this machine's own daemon joins, for five minutes and once.</summary>
    public Task<string> CreateJoinTokenAsync(CancellationToken cancellationToken) =>
        _app.Services.CreateJoinTokenAsync(new CreateJoinTokenRequest { ValidSeconds = 300, MaxUses = 1, Note = "this machine" }, cancellationToken);

    /// <summary>Waits until somebody asks it to stop, or a part of it died.</summary>
    /// <returns>True where it was asked.</returns>
    public async Task<bool> UntilStoppedAsync(CancellationToken cancellationToken)
    {
        var lifetime = _app.Services.GetRequiredService<IHostApplicationLifetime>();
        var stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var asked = cancellationToken.Register(() => stopped.TrySetResult());
        await using var died = lifetime.ApplicationStopping.Register(() => stopped.TrySetResult());
        await stopped.Task;
        return cancellationToken.IsCancellationRequested;
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
        await _store.DisposeAsync();
    }

    private static WebApplication Build(
        ServerOptions options, DataFolder folder, Ground ground, Action<ILoggingBuilder> logging)
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
        builder.Services.AddOpenApi("v1", document => document.ShouldInclude = description => description.RelativePath?.StartsWith("api/", StringComparison.Ordinal) == true);
        builder.Services.AddOpenTelemetry().WithMetrics(metrics => metrics.AddMeter("Cairn.*", "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel").AddPrometheusExporter());
        ClearTextHttp2.AddTo(builder.Services);
        builder.WebHost.UseGatewaySockets().ConfigureKestrel(kestrel => Listen(kestrel, options));
        var app = builder.Build();
        app.Services.BeginCertificates();
        app.UseServing();
        app.UseMiddleware<UnexpectedErrors>();
        app.UseMiddleware<Authentication>();
        app.UseMiddleware<IdempotentReplies>();
        app.MapOpenApi("/openapi/{documentName}.json");
        app.MapPrometheusScrapingEndpoint("/metrics");
        app.MapGet("/healthz", async (Store rows, CancellationToken token) => await rows.ReadAsync(session => session.Scalar<long>("SELECT 1"), token) == 1 ? "ok" : "failed");
        app.MapIdentity();
        app.MapPlans();
        app.MapBills();
        app.MapFleet();
        app.MapServing();
        return app;
    }

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
            SharedDatabase = options.Database is not null,
            Link = new NodeLinkOptions
            {
                AdvertisedHost = Advertised(options),
                CertificateFolder = folder.Keys,
                CertificateNames = options.PublicName is null ? [] : [options.PublicName],
            },
            Nodes = options.Silence(),
            Logs = new() { Folder = folder.Logs },
        };
        services.AddFleet(fleet, _ => ground.Catalog.Find);
        services.AddReconciler(_ => new Reconciler(Keyring.Signal, (_, token) => ground.Keyring.LoadAsync(token)) { Interval = TimeSpan.FromSeconds(15) });
        services.AddSingleton<IGatewayKeys, GatewayKeys>();
        services.AddSingleton<InferenceFunds>().AddSingleton<IInferenceCharges, InferenceCharges>();
        services.AddCertificates(options.Tls);
        services.AddServing(new GatewayOptions { DirectReplicas = options.DirectReplicas, OwnHosts = OwnHosts(options) }, new RolloutOptions(), shared: options.Database is not null);
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

    private static IReadOnlyList<string> OwnHosts(ServerOptions options) => options.PublicName is { } name ? [name, Dns.GetHostName()] : [Dns.GetHostName()];

    // A client can reach "any address" under loopback.
    private static string Readable(string url) =>
        url.Replace("0.0.0.0", "127.0.0.1", StringComparison.Ordinal).Replace("[::]", "[::1]", StringComparison.Ordinal);

    /// <summary>What stands before the layers are composed.</summary>
    private sealed record Ground(Store Store, Keyring Keyring, OfferCatalog Catalog, TimeProvider Time);
}
