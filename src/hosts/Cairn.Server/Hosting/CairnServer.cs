using Cairn.Contracts.Api;
using Cairn.Fleet;
using Cairn.Market;
using Cairn.Server.Identity;
using Cairn.Server.Plans;
using Cairn.Serving;
using Cairn.Serving.Certificates;
using Cairn.State;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

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
        IReadOnlyList<Migration> migrations =
            [.. IdentityMigrations.All, .. FleetMigrations.All, .. MarketMigrations.All, .. ServingMigrations.All];
        var storeOptions = new StoreOptions { Database = options.Database ?? folder.Database };
        var store = await Store.OpenAsync(storeOptions, migrations, time, cancellationToken);
        try
        {
            // (3)
            var keyring = new Keyring(store, time);
            var adminKey = await AdminBootstrap.RunAsync(keyring, cancellationToken);

            // (4), (5)
            var catalog = await OfferCatalog.OpenAsync(folder.Path, cancellationToken);
            var app = ControlPlane.Build(options, folder, new Ground(store, keyring, catalog, time), logging);
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
    public Task<string> CreateJoinTokenAsync(CancellationToken cancellationToken) => _app.Services.CreateJoinTokenAsync(
        new CreateJoinTokenRequest { ValidSeconds = 300, MaxUses = 1, Note = "this machine" }, cancellationToken);

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

    // A client can reach "any address" under loopback.
    private static string Readable(string url) =>
        url.Replace("0.0.0.0", "127.0.0.1", StringComparison.Ordinal).Replace("[::]", "[::1]", StringComparison.Ordinal);
}
