using System.Net.Security;
using System.Net.Sockets;
using Cairn.Contracts.Tunnels;
using Cairn.Fleet.Link;
using Cairn.Fleet.Tests.Link;
using CsCheck;

namespace Cairn.Fleet.Tests.Tunnels;

public sealed class The_link_port_tells_tunnels_from_links
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(2);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_greeting_that_offers_the_tunnels_protocol_is_one_for_a_tunnel()
    {
        Assert.Equal(HelloVerdict.Offers, Judge(await GreetingAsync(TunnelWire.Protocol)));
        Assert.Equal(HelloVerdict.Offers, Judge(await GreetingAsync(SslApplicationProtocol.Http2, TunnelWire.Protocol)));
        Assert.Equal(HelloVerdict.Other, Judge(await GreetingAsync(SslApplicationProtocol.Http2)));
        Assert.Equal(HelloVerdict.Other, Judge(await GreetingAsync()));
        Assert.Equal(HelloVerdict.Other, Judge("GET / HTTP/1.1\r\n\r\n"u8));
        Assert.Equal(HelloVerdict.Other, Judge("PRI"u8));
    }

    [Fact]
    public async Task Part_of_a_greeting_says_nothing_yet()
    {
        var whole = await GreetingAsync(TunnelWire.Protocol);
        for (var length = 0; length < whole.Length; length++)
            Assert.Equal(HelloVerdict.Incomplete, Judge(whole.AsSpan(0, length)));
    }

    [Fact]
    public async Task Whatever_comes_is_judged()
    {
        var whole = await GreetingAsync(TunnelWire.Protocol);
        Gen.Select(Gen.Int[0, whole.Length - 1], Gen.Byte).Array[1, 6].Sample(changes =>
        {
            var bytes = whole.ToArray();
            foreach (var (at, value) in changes)
                bytes[at] = value;
            Assert.True(Enum.IsDefined(Judge(bytes)));
        });
    }

    [Fact]
    public async Task A_greeting_in_pieces_opens_a_tunnel_all_the_same_and_delays_nobody()
    {
        await using var server = await LinkServer.StartAsync();
        var (socket, inPieces) = await ConnectAsync(server);
        using var _ = socket;
        var handshake = inPieces.AuthenticateAsync();
        await inPieces.Begun;
        // Others come through meanwhile, a tunnel and a link.
        await (await TestTunnel.ConnectAsync(server)).DisposeAsync();
        using (var channel = server.Connect())
        using (await TestNode.JoinAsync(channel, await server.TokenAsync()))
        {
        }
        inPieces.GoOn();
        Assert.Equal(TunnelWire.Protocol, await handshake.WaitAsync(s_patience, Stop));
    }

    [Fact]
    public async Task A_server_that_stops_ends_connections_that_said_nothing()
    {
        var server = await LinkServer.StartAsync();
        using var silent = new TcpClient();
        await silent.ConnectAsync(server.Grpc.Host, server.Grpc.Port, Stop);
        await (await TestTunnel.ConnectAsync(server)).DisposeAsync();
        await server.DisposeAsync();
        var read = silent.GetStream().ReadAsync(new byte[1], Stop).AsTask();
        var ended = await Record.ExceptionAsync(async () => Assert.Equal(0, await read.WaitAsync(s_patience, Stop)));
        Assert.True(ended is null or IOException, $"{ended}");
    }

    private static HelloVerdict Judge(ReadOnlySpan<byte> bytes) => ClientHello.Judge(bytes, TunnelWire.Protocol.Protocol.Span);

    /// <summary>What a real TLS client says first.</summary>
    private static async Task<byte[]> GreetingAsync(params SslApplicationProtocol[] protocols)
    {
        using var listener = new TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        using var client = new TcpClient();
        await client.ConnectAsync((System.Net.IPEndPoint)listener.LocalEndpoint, Stop);
        using var other = await listener.AcceptTcpClientAsync(Stop);
        await using var tls = new SslStream(client.GetStream());
        var options = new SslClientAuthenticationOptions { TargetHost = "node.example.org", ApplicationProtocols = [.. protocols] };
        var handshake = tls.AuthenticateAsClientAsync(options, Stop);
        var header = new byte[5];
        await other.GetStream().ReadExactlyAsync(header, Stop);
        var body = new byte[(header[3] << 8) | header[4]];
        await other.GetStream().ReadExactlyAsync(body, Stop);
        other.Close();
        await Assert.ThrowsAnyAsync<IOException>(() => handshake);
        return [.. header, .. body];
    }

    private static async Task<(Socket, PieceStream)> ConnectAsync(LinkServer server)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(server.Grpc.Host, server.Grpc.Port, Stop);
        return (socket, new PieceStream(socket));
    }

    /// <summary>A connection whose first write goes out in two parts, the second when it is told so.</summary>
    private sealed class PieceStream(Socket socket) : NetworkStream(socket)
    {
        private readonly TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _goOn = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Begun => _begun.Task;

        public void GoOn() => _goOn.SetResult();

        public async Task<SslApplicationProtocol> AuthenticateAsync()
        {
            await using var tls = new SslStream(this, leaveInnerStreamOpen: false, (_, _, _, _) => true);
            await tls.AuthenticateAsClientAsync(
                new SslClientAuthenticationOptions { TargetHost = "127.0.0.1", ApplicationProtocols = [TunnelWire.Protocol] }, Stop);
            return tls.NegotiatedApplicationProtocol;
        }

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (!_begun.Task.IsCompleted)
            {
                await base.WriteAsync(buffer[..100], cancellationToken);
                buffer = buffer[100..];
                _begun.SetResult();
                await _goOn.Task;
            }
            await base.WriteAsync(buffer, cancellationToken);
        }
    }
}
