using System.Net;
using System.Security.Cryptography.X509Certificates;
using Cairn.Server.Hosting;
using Cairn.Serving;
using Cairn.Serving.Alone;
using Cairn.Serving.Gateway.Listening;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Cairn.Server.Gateways;

/// <summary>How a gateway that runs alone listens.</summary>
public sealed class GatewayListening
{
    /// <summary>Where clients of models call. Default 127.0.0.1:7080; port 0 takes a free one.</summary>
    public IPEndPoint Http { get; init; } = new(IPAddress.Loopback, 7080);

    /// <summary>A PEM certificate chain; needed to listen beyond loopback.</summary>
    public string? TlsCertificate { get; init; }

    /// <summary>The PEM private key that belongs to <see cref="TlsCertificate"/>.</summary>
    public string? TlsKey { get; init; }

    /// <summary>Every mistake at once, in words; empty when all is well.</summary>
    public IReadOnlyList<string> Validate()
    {
        var errors = new List<string>();
        if (!IPAddress.IsLoopback(Http.Address) && TlsCertificate is null)
            errors.Add($"--http {Http} is beyond loopback, where keys would travel in the clear; give --tls-certificate and --tls-key, or put a TLS proxy in front and listen on 127.0.0.1.");
        if ((TlsCertificate is null) != (TlsKey is null))
            errors.Add("--tls-certificate and --tls-key belong together; only one is given.");
        foreach (var (option, path) in new[] { ("--tls-certificate", TlsCertificate), ("--tls-key", TlsKey) })
        {
            if (path is not null && !File.Exists(path))
                errors.Add($"{option}: there is no file {path}.");
        }
        return errors;
    }
}

/// <summary>A running gateway without a control plane of its own.</summary>
public sealed class CairnGateway : IAsyncDisposable
{
    private readonly WebApplication _app;

    private CairnGateway(WebApplication app, bool knows)
    {
        (_app, KnowsModels) = (app, knows);
        Address = app.Urls.First().Replace("0.0.0.0", "127.0.0.1", StringComparison.Ordinal).Replace("[::]", "[::1]", StringComparison.Ordinal);
    }

    /// <summary>Such as <c>http://127.0.0.1:7080</c>.</summary>
    public string Address { get; }

    /// <summary>Whether it began with a snapshot of an earlier start.</summary>
    public bool KnowsModels { get; }

    /// <summary>Why the server refused it for good; null where it did not.</summary>
    public string? Refusal => AloneHosting.RefusalOf(_app.Services);

    /// <summary>Starts serving: at once from the last snapshot on disk, else from the server's first.</summary>
    /// <exception cref="ArgumentException">The options are wrong; the message names every mistake.</exception>
    /// <exception cref="IOException">The address or the data folder is in use.</exception>
    public static async Task<CairnGateway> StartAsync(
        AloneOptions options, GatewayListening listening, TimeProvider time, Action<ILoggingBuilder> logging, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(listening);
        ArgumentNullException.ThrowIfNull(logging);
        if (listening.Validate() is { Count: > 0 } errors)
            throw new ArgumentException(string.Join(" ", errors), nameof(listening));
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { Args = ["--hostBuilder:reloadConfigOnChange=false"] });
        logging(builder.Logging);
        builder.Services.AddSingleton<IHostLifetime, NoSignals>();
        // Streams under way get time to end.
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(30));
        builder.Services.AddSingleton(time);
        builder.Services.AddGatewayAlone(options, time);
        builder.Services.AddPrometheusMetrics();
        ClearTextHttp2.AddTo(builder.Services);
        builder.WebHost.UseGatewaySockets().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            var clearText = new ClearTextHttp2();
            kestrel.Listen(listening.Http, listen =>
            {
                if (listening.TlsCertificate is not null)
                    listen.UseHttps(X509Certificate2.CreateFromPemFile(listening.TlsCertificate, listening.TlsKey));
                else
                    clearText.Sniff(listen);
            });
            clearText.Listen(kestrel);
        });
        var app = builder.Build();
        app.UseServing();
        app.MapPrometheusMetrics();
        var knows = app.MapGatewayAlone();
        await app.StartAsync(cancellationToken);
        return new CairnGateway(app, knows);
    }

    /// <summary>Waits until somebody asks it to stop, the server refuses it, or a part of it died.</summary>
    /// <returns>True where it was asked.</returns>
    public async Task<bool> UntilStoppedAsync(CancellationToken cancellationToken)
    {
        var stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var asked = cancellationToken.Register(() => stopped.TrySetResult());
        await using var died = _app.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping.Register(() => stopped.TrySetResult());
        await stopped.Task;
        return cancellationToken.IsCancellationRequested;
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
    }
}
