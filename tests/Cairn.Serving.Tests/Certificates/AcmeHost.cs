using Cairn.Contracts.Ids;
using Cairn.Serving.Certificates;
using Cairn.Serving.Certificates.Acme;
using Cairn.Serving.Endpoints;
using Cairn.State;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cairn.Serving.Tests.Certificates;

/// <summary>Renewal as a server runs it, turn by turn, over a real store and a real web server, with a clock that a test can set forward.</summary>
internal sealed class AcmeHost : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("cairn-acme-").FullName;
    private readonly LaterTime _time = new();
    private AcmeConnection? _connection;
    private AcmeKey? _key;
    private Store _store = null!;

    public TlsHost Tls { get; private set; } = null!;

    public AcmeRenewal Renewal { get; private set; } = null!;

    public string Folder => Path.Combine(_folder, "acme");

    public static async Task<AcmeHost> StartAsync()
    {
        var host = new AcmeHost();
        host.Tls = await TlsHost.StartAsync(new CertificateOptions { Acme = new AcmeOptions { Folder = host.Folder } });
        host._store = await Store.OpenAsync(new StoreOptions { Database = Path.Combine(host._folder, "rows.db") }, ServingMigrations.All, host._time, TestContext.Current.CancellationToken);
        return host;
    }

    /// <summary>Begins with an authority as a start of the server does: all that was kept is in files.</summary>
    public void Use(Uri directory, string? root, string? keyId = null, params string[] names)
    {
        _connection?.Dispose();
        _key?.Dispose();
        var options = new AcmeOptions
        {
            Folder = Folder, Directory = directory, Root = root, AgreesToTerms = true, Email = "ops@example.com", Names = names.Length > 0 ? names : ["cairn.example.com"],
            ExternalKeyId = keyId, ExternalKey = keyId is null ? null : Pebble.MacKey,
        };
        Assert.Equal(directory.Scheme == "https" ? [] : options.Validate(), options.Validate());
        _key = AcmeKey.LoadOrCreate(Path.Combine(Folder, "account.pem"));
        _connection = new AcmeConnection(options, _key, _time);
        Renewal = new AcmeRenewal(options, new AcmeClient(options, _connection, _key, Tls.Challenges, _time), Tls.Sources.Acme, Tls.Book, _store, _time, NullLogger<AcmeRenewal>.Instance);
    }

    public Task RunAsync() => Renewal.RunAsync(TestContext.Current.CancellationToken);

    public Task NameAsync(params string[] hosts) =>
        _store.WriteAsync(session => HostRows.Replace(session, EndpointId.New(DateTimeOffset.UnixEpoch), hosts), TestContext.Current.CancellationToken);

    public void Advance(TimeSpan by) => _time.Ahead += by;

    public DateTimeOffset Now => _time.GetUtcNow();

    public async ValueTask DisposeAsync()
    {
        _connection?.Dispose();
        _key?.Dispose();
        await Tls.DisposeAsync();
        await _store.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>The system's clock, set forward; timers run as they do.</summary>
    private sealed class LaterTime : TimeProvider
    {
        public TimeSpan Ahead { get; set; }

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Ahead;
    }
}
