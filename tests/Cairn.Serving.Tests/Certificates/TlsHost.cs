using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Cairn.Serving.Certificates;
using Cairn.Serving.Certificates.Acme;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cairn.Serving.Tests.Certificates;

/// <summary>A web server on loopback that answers handshakes from a book, and beside it the plain port of ACME.</summary>
internal sealed class TlsHost : IAsyncDisposable
{
    private readonly WebApplication _app;

    private TlsHost(CertificateOptions options)
    {
        Sources = new CertificateSources(options, Book, NullLogger<CertificateFiles>.Instance);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton(Book).AddSingleton(Challenges);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseServedCertificates());
            kestrel.ListenForAcme(new IPEndPoint(IPAddress.Loopback, 0));
        });
        _app = builder.Build();
        _app.UseAcme();
        _app.Run(context => context.Response.WriteAsync(context.Request.Protocol));
    }

    public CertificateBook Book { get; } = new();

    public CertificateSources Sources { get; }

    public AcmeChallenges Challenges { get; } = new();

    public int Port => Ports[0];

    public int PlainPort => Ports[1];

    private List<int> Ports => [.. _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Select(a => new Uri(a).Port)];

    public static async Task<TlsHost> StartAsync(CertificateOptions options)
    {
        var host = new TlsHost(options);
        host.Sources.Begin();
        await host._app.StartAsync();
        return host;
    }

    /// <summary>The certificate that a client sees who asks for a name and trusts one root alone.</summary>
    public async Task<X509Certificate2> SeenAsync(string name, X509Certificate2 root)
    {
        await using var tls = await ConnectAsync(name, root);
        return X509CertificateLoader.LoadCertificate(tls.RemoteCertificate!.GetRawCertData());
    }

    /// <summary>All that is answered to a text until the server closes; the client names no protocol in its handshake.</summary>
    public async Task<string> AskAsync(string name, X509Certificate2 root, string text)
    {
        await using var tls = await ConnectAsync(name, root);
        await tls.WriteAsync(Encoding.ASCII.GetBytes(text), TestContext.Current.CancellationToken);
        using var answer = new StreamReader(tls, Encoding.ASCII);
        return await answer.ReadToEndAsync(TestContext.Current.CancellationToken);
    }

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    private async Task<SslStream> ConnectAsync(string name, X509Certificate2 root)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, Port, TestContext.Current.CancellationToken);
        var tls = new SslStream(new NetworkStream(socket, ownsSocket: true));
        var options = new SslClientAuthenticationOptions { TargetHost = name, CertificateChainPolicy = TestAuthority.TrustAlone(root) };
        await tls.AuthenticateAsClientAsync(options, TestContext.Current.CancellationToken);
        return tls;
    }
}
