using System.Buffers;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using Cairn.Contracts.Tunnels;
using Cairn.Fleet.Link;

namespace Cairn.Fleet.Tunnels;

/// <summary>Tells tunnels from other connections by the protocol that their TLS offers, and serves them over their own socket.</summary>
internal sealed class TunnelDoor(NodeTunnels tunnels, SslStreamCertificateContext certificate, TimeProvider time)
{
    private const int PeekBytes = 16 << 10; // what a greeting takes at most in one record
    private static readonly TimeSpan s_handshakeDue = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan s_peekAgain = TimeSpan.FromMilliseconds(5);

    /// <summary>Serves a tunnel until it ends.</summary>
    /// <returns>False where the connection asks for something else; it is as it was.</returns>
    public async Task<bool> TryServeAsync(Socket socket, CancellationToken closed)
    {
        using var patience = new CancellationTokenSource(s_handshakeDue, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(closed, patience.Token);
        try
        {
            if (!await AsksForTunnelAsync(socket, either.Token))
                return false;
            await using var tls = new SslStream(new TunnelSocket(socket));
            await tls.AuthenticateAsServerAsync(
                new SslServerAuthenticationOptions { ServerCertificateContext = certificate, ApplicationProtocols = [TunnelWire.Protocol] }, either.Token);
            await tunnels.ServeAsync(tls, closed);
        }
        catch (Exception error) when (error is IOException or SocketException or AuthenticationException or OperationCanceledException)
        {
            // Whoever dialled sees the end of the connection, as a scan of ports does.
            socket.Dispose();
        }
        return true;
    }

    private async Task<bool> AsksForTunnelAsync(Socket socket, CancellationToken cancellationToken)
    {
        await socket.ReceiveAsync(Memory<byte>.Empty, cancellationToken);
        var buffer = ArrayPool<byte>.Shared.Rent(PeekBytes);
        try
        {
            while (true)
            {
                var seen = await socket.ReceiveAsync(buffer.AsMemory(0, PeekBytes), SocketFlags.Peek, cancellationToken);
                var verdict = ClientHello.Judge(buffer.AsSpan(0, seen), TunnelWire.Protocol.Protocol.Span);
                if (verdict != HelloVerdict.Incomplete || seen is 0 or PeekBytes)
                    return verdict == HelloVerdict.Offers;
                // The system tells of new bytes only once those that were peeked at are taken.
                await Task.Delay(s_peekAgain, time, cancellationToken);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
