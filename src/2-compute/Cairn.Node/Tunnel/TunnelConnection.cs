using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Cairn.Contracts.Ids;
using Cairn.Contracts.Tunnels;
using Cairn.Contracts.Wire;
using Cairn.Node.Link;

namespace Cairn.Node.Tunnel;

/// <summary>Where tunnels lead from, and whom they trust.</summary>
internal sealed record TunnelServer(string Address, X509Certificate2 Authority, NodeId Node);

/// <summary>Opens the connection that a tunnel runs over: a second one beside the link, so that bulk never delays a heartbeat.</summary>
internal static class TunnelConnection
{
    // A mapping in a NAT lives for minutes at least (RFC 5382, REQ-5), and a dead server is noticed within 20 + 4 × 5 s.
    private const int KeepAliveSeconds = 20;
    private const int KeepAliveIntervalSeconds = 5;
    private const int KeepAliveTries = 4;

    /// <exception cref="IOException">The server cannot be reached, is not ours, or does not know the session.</exception>
    /// <exception cref="SocketException">The server cannot be reached.</exception>
    /// <exception cref="System.Security.Authentication.AuthenticationException">The server's certificate is not one of our
    /// authority.</exception>
    public static async Task<SslStream> OpenAsync(TunnelServer server, ReadOnlyMemory<byte> secret, CancellationToken cancellationToken)
    {
        if (!JoinToken.TrySplitServer(server.Address, out var host, out var port))
            throw new IOException($"the server '{server.Address}' is not host:port");
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        SslStream? tls = null;
        try
        {
            KeepAlive(socket);
            await socket.ConnectAsync(host, port, cancellationToken);
            tls = new SslStream(new TunnelSocket(socket));
            await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
            {
                TargetHost = host,
                ApplicationProtocols = [TunnelWire.Protocol],
                RemoteCertificateValidationCallback = (_, leaf, chain, errors) =>
                    NodeChannel.IsIssuedBy(server.Authority, leaf, chain, errors),
            }, cancellationToken);
            if (tls.NegotiatedApplicationProtocol != TunnelWire.Protocol)
                throw new IOException("the server knows no tunnels");
            await GreetAsync(tls, server.Node, secret, cancellationToken);
            return tls;
        }
        catch
        {
            if (tls is not null)
                await tls.DisposeAsync();
            socket.Dispose();
            throw;
        }
    }

    private static async Task GreetAsync(SslStream tls, NodeId node, ReadOnlyMemory<byte> secret, CancellationToken cancellationToken)
    {
        await tls.WriteAsync(TunnelWire.Preface(node, secret.Span), cancellationToken);
        var answer = new byte[1];
        await tls.ReadExactlyAsync(answer, cancellationToken);
        if (answer[0] != TunnelWire.Welcome)
            throw new IOException("the server knows no such session");
    }

    private static void KeepAlive(Socket socket)
    {
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, KeepAliveSeconds);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, KeepAliveIntervalSeconds);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, KeepAliveTries);
    }
}
