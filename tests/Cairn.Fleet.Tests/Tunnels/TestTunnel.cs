using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Cairn.Contracts.Tunnels;
using Cairn.Fleet.Link;
using Cairn.Fleet.Tests.Link;
using Google.Protobuf;

namespace Cairn.Fleet.Tests.Tunnels;

/// <summary>The node's end of a tunnel over real TLS. By default it gives back what it gets.</summary>
internal sealed class TestTunnel : IAsyncDisposable
{
    private readonly SslStream _tls;

    private TestTunnel(SslStream tls, Func<TunnelStream, TunnelTarget, Task> accept)
    {
        _tls = tls;
        Mux = new TunnelMux(tls, 1_000, accept);
        Running = Mux.RunAsync(CancellationToken.None);
    }

    public TunnelMux Mux { get; }

    /// <summary>Completes when the tunnel has ended.</summary>
    public Task<string> Running { get; }

    /// <summary>Opens a tunnel; null where the server refuses the session.</summary>
    public static async Task<TestTunnel?> OpenAsync(
        LinkServer server, TestNode node, ByteString secret, Func<TunnelStream, TunnelTarget, Task>? accept = null)
    {
        var tls = await ConnectAsync(server);
        await tls.WriteAsync(TunnelWire.Preface(node.Id, secret.Span));
        var answer = new byte[1];
        await tls.ReadExactlyAsync(answer);
        if (answer[0] == TunnelWire.Welcome)
            return new TestTunnel(tls, accept ?? EchoAsync);
        await tls.DisposeAsync();
        return null;
    }

    /// <summary>A connection that speaks the tunnel's protocol and has said nothing yet.</summary>
    public static async Task<SslStream> ConnectAsync(LinkServer server)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(server.Grpc.Host, server.Grpc.Port);
        var authority = X509CertificateLoader.LoadCertificate(server.Get<LinkCertificates>().AuthorityDer.Span);
        var tls = new SslStream(new NetworkStream(socket, ownsSocket: true));
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = server.Grpc.Host,
            ApplicationProtocols = [TunnelWire.Protocol],
            CertificateChainPolicy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                CustomTrustStore = { authority },
                RevocationMode = X509RevocationMode.NoCheck,
            },
        });
        return tls;
    }

    public async ValueTask DisposeAsync()
    {
        await _tls.DisposeAsync();
        await Running;
    }

    private static async Task EchoAsync(TunnelStream stream, TunnelTarget target)
    {
        stream.Accept();
        await stream.CopyToAsync(stream);
        stream.EndWrites();
    }
}
