using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Cairn.Bench.Tunnel;

/// <summary>The service that is measured: gives a megabyte, takes one, and answers two letters; in the clear, and over TLS.</summary>
internal static class TunnelReplica
{
    public const int BodyBytes = 1_000_000;

    /// <summary>Arguments: its port, and its port for TLS.</summary>
    public static async Task<bool> RunAsync(string[] args)
    {
        var (port, tlsPort) = (Port(args[0]), Port(args[1]));
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        using var certificate = Certificate();
        builder.WebHost.UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, port);
            kestrel.Listen(IPAddress.Loopback, tlsPort, listen => listen.UseHttps(certificate));
        });
        await using var app = builder.Build();
        var body = RandomNumberGenerator.GetBytes(BodyBytes);
        app.MapGet("/give", context =>
        {
            context.Response.ContentLength = BodyBytes;
            return context.Response.Body.WriteAsync(body).AsTask();
        });
        app.MapPost("/take", async context =>
        {
            var buffer = new byte[64 << 10];
            while (await context.Request.Body.ReadAsync(buffer) > 0)
            {
            }
        });
        app.MapGet("/small", context => context.Response.WriteAsync("ok"));
        await app.RunAsync();
        return true;
    }

    private static int Port(string text) => int.Parse(text, CultureInfo.InvariantCulture);

    private static X509Certificate2 Certificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=replica", key, HashAlgorithmName.SHA256);
        var now = TimeProvider.System.GetUtcNow();
        using var made = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), null);
    }
}
