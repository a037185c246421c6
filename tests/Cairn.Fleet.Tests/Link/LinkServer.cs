using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Cairn.Contracts.Api;
using Cairn.Fleet.Link;
using Cairn.Fleet.Logs;
using Cairn.Fleet.Nodes;
using Cairn.State;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Cairn.Fleet.Tests.Link;

/// <summary>
/// A real server on loopback: Kestrel, TLS with the server's own authority, a store on disk. Only the jobs behind the ports are the
/// tests' own. It can be stopped and started again over the same folder.
/// </summary>
internal sealed class LinkServer : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("cairn-link-").FullName;
    private WebApplication? _app;
    private Store? _store;

    private LinkServer(TimeProvider time) => Time = time;

    public TimeProvider Time { get; }

    public TestWork Work { get; } = new();

    public TestJobs Jobs { get; } = new();

    public NodeOptions NodeOptions { get; } = new();

    public NodeLinkOptions LinkOptions { get; } = new();

    public LogOptions LogOptions { get; } = new() { EndGraceSeconds = 600 };

    /// <summary>How long its lease lasts, where other servers share its rows; null where none does.</summary>
    public TimeSpan? LeadTime { get; set; }

    public string DataFolder => _folder;

    public Store Store => _store!;

    public Uri Grpc { get; private set; } = null!;

    public HttpClient Http { get; private set; } = null!;

    public static Task<LinkServer> StartAsync(Action<LinkServer>? configure = null, TimeProvider? time = null) =>
        StartAsync(configure, time ?? TimeProvider.System, TestContext.Current.CancellationToken);

    private static async Task<LinkServer> StartAsync(Action<LinkServer>? configure, TimeProvider time, CancellationToken cancellationToken)
    {
        var server = new LinkServer(time);
        configure?.Invoke(server);
        await server.UpAsync(cancellationToken);
        return server;
    }

    public T Get<T>() where T : notnull => _app!.Services.GetRequiredService<T>();

    public async Task RestartAsync()
    {
        await DownAsync();
        await UpAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>A channel as a daemon opens it: it trusts the authority of this hash and nothing else.</summary>
    public GrpcChannel Connect(string? authoritySha256 = null)
    {
        var pinned = authoritySha256 ?? Get<LinkCertificates>().AuthoritySha256;
        var authority = X509CertificateLoader.LoadCertificate(Get<LinkCertificates>().AuthorityDer.Span);
        var handler = new SocketsHttpHandler
        {
            EnableMultipleHttp2Connections = true,
            SslOptions = new SslClientAuthenticationOptions
            {
                RemoteCertificateValidationCallback = (_, certificate, _, errors) =>
                    (errors & ~SslPolicyErrors.RemoteCertificateChainErrors) == 0
                    && authority.GetCertHashString(System.Security.Cryptography.HashAlgorithmName.SHA256)
                        .Equals(pinned, StringComparison.OrdinalIgnoreCase)
                    && IsIssuedBy((X509Certificate2)certificate!, authority),
            },
        };
        return GrpcChannel.ForAddress(Grpc,
            new GrpcChannelOptions { HttpHandler = handler, DisposeHttpClient = true, MaxReceiveMessageSize = null });
    }

    public async Task<string> TokenAsync(int maxUses = 0, long validSeconds = 3600)
    {
        var (token, _) = await Get<JoinTokens>().CreateAsync(
            new CreateJoinTokenRequest { MaxUses = maxUses, ValidSeconds = validSeconds }, TestContext.Current.CancellationToken);
        return token!.Token!;
    }

    public async ValueTask DisposeAsync()
    {
        await DownAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task UpAsync(CancellationToken cancellationToken)
    {
        var database = new StoreOptions { Database = Path.Combine(_folder, "rows.db") };
        _store = await Store.OpenAsync(database, NodeMigrations.All, Time, cancellationToken);
        LinkOptions.CertificateFolder = Path.Combine(_folder, "link");
        LogOptions.Folder = Path.Combine(_folder, "logs");
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
        {
            kestrel.UseLinkLimits();
            kestrel.Listen(IPAddress.Loopback, 0);
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseLinkCertificates());
        });
        builder.Services.AddSingleton(_store).AddSingleton(Time)
            .AddSingleton<IBlobs>(new FolderBlobs(Path.Combine(_folder, "blobs"), Time));
        builder.Services.AddSingleton<INodeWork>(Work).AddSingleton<IJobLogs>(Jobs).AddSingleton<CatalogOffer>((_, _, _) => null);
        builder.Services.ConfigureHttpJsonOptions(options => ApiJson.Configure(options.SerializerOptions));
        if (LeadTime is { } time)
            builder.Services.AddLeadership(time);
        builder.Services.AddFleetNodes(LinkOptions, NodeOptions, LogOptions);
        _app = builder.Build();
        _app.MapFleetNodes();
        await _app.StartAsync(cancellationToken);
        var addresses = _app.Services.GetRequiredService<IServer>()
            .Features.Get<IServerAddressesFeature>()!.Addresses.Select(a => new Uri(a)).ToArray();
        Grpc = addresses.Single(address => address.Scheme == "https");
        Http = new HttpClient { BaseAddress = new Uri(addresses.Single(address => address.Scheme == "http"), "/api/v1/") };
    }

    private async Task DownAsync()
    {
        Http.Dispose();
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        await _app!.StopAsync(patience.Token);
        await _app.DisposeAsync();
        await _store!.DisposeAsync();
    }

    private static bool IsIssuedBy(X509Certificate2 certificate, X509Certificate2 authority)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(authority);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        return chain.Build(certificate);
    }
}
