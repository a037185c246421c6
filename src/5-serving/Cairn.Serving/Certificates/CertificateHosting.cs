using System.Net;
using Cairn.Serving.Certificates.Acme;
using Cairn.State;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Cairn.Serving.Certificates;

/// <summary>Puts certificates into a host.</summary>
public static class CertificateHosting
{
    private static readonly TimeSpan s_look = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan s_ask = TimeSpan.FromSeconds(60);

    /// <summary>Adds what answers handshakes, what looks at the files, and what asks an authority.</summary>
    public static IServiceCollection AddCertificates(this IServiceCollection services, CertificateOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        services.AddSingleton(options).AddSingleton<CertificateBook>().AddSingleton<CertificateReading>();
        if (!options.IsGiven)
            return services;
        services.AddSingleton<CertificateSources>().AddReconciler(provider =>
        {
            var sources = provider.GetRequiredService<CertificateSources>();
            return new Reconciler("certificates", (_, cancellationToken) => Task.Run(sources.Renew, cancellationToken)) { Interval = s_look };
        });
        return options.Acme is { } acme ? services.AddAcme(acme) : services;
    }

    /// <summary>Reads every file once, so that the first handshake is answered.</summary>
    /// <exception cref="ArgumentException">One's own certificate cannot be used.</exception>
    public static void BeginCertificates(this IServiceProvider services) => services.GetService<CertificateSources>()?.Begin();

    /// <summary>Answers with the certificate of the name that a client asks for.</summary>
    public static void UseServedCertificates(this ListenOptions listen)
    {
        ArgumentNullException.ThrowIfNull(listen);
        var book = listen.ApplicationServices.GetRequiredService<CertificateBook>();
        listen.UseHttps(new TlsHandshakeCallbackOptions { OnConnection = hello => ValueTask.FromResult(book.Answer(hello.ClientHelloInfo.ServerName)) });
    }

    /// <summary>Opens a plain port for the authority's questions.</summary>
    public static void ListenForAcme(this KestrelServerOptions kestrel, IPEndPoint address) => kestrel.Listen(address, listen =>
    {
        listen.Protocols = HttpProtocols.Http1;
        listen.Use(next => connection =>
        {
            connection.Features.Set(PlainPort.Mark);
            return next(connection);
        });
    });

    /// <summary>Comes before everything else.</summary>
    internal static void UseAcme(this IApplicationBuilder app)
    {
        if (app.ApplicationServices.GetService<AcmeChallenges>() is { } challenges)
            app.UseMiddleware<AcmeDoor>(challenges);
    }

    private static IServiceCollection AddAcme(this IServiceCollection services, AcmeOptions options)
    {
        services.AddSingleton(options).AddSingleton<AcmeChallenges>().AddSingleton<AcmeClient>();
        // A key per authority: an account belongs to one.
        services.AddSingleton(_ => AcmeKey.LoadOrCreate(Path.Combine(options.Folder, $"account-{options.Directory.Host}.pem")));
        services.AddSingleton(provider => new AcmeConnection(options, provider.GetRequiredService<AcmeKey>(), provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton(provider => new AcmeRenewal(options, provider.GetRequiredService<AcmeClient>(), provider.GetRequiredService<CertificateSources>().Acme,
            provider.GetRequiredService<CertificateBook>(), provider.GetRequiredService<Store>(), provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<AcmeRenewal>>()));
        return services.AddReconciler(provider => AcmeTurns(provider.GetRequiredService<AcmeRenewal>(), provider.GetRequiredService<IHostApplicationLifetime>()));
    }

    /// <summary>
    /// Asks for nothing before the ports are open, which a host opens last: an authority asks back at once, and a proof that it cannot
    /// read costs the name minutes.
    /// </summary>
    internal static Reconciler AcmeTurns(AcmeRenewal renewal, IHostApplicationLifetime host)
    {
        var open = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        host.ApplicationStarted.Register(open.SetResult);
        return new Reconciler("acme", async (_, cancellationToken) =>
        {
            await open.Task.WaitAsync(cancellationToken);
            await renewal.RunAsync(cancellationToken);
        }) { Signal = AcmeRenewal.Signal, Interval = s_ask };
    }
}
