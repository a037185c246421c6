using System.Buffers;
using System.Net.Sockets;
using Cairn.Contracts.Tunnels;

namespace Cairn.Node.Tunnel;

/// <summary>
/// Carries bytes between a stream of the tunnel and a socket, each direction at its reader's speed and each ended alone. Only bytes that
/// are there take a buffer: a stream that waits holds none.
/// </summary>
internal static class SocketPump
{
    // Whole frames, which are whole records of the tunnel's TLS.
    private const int BufferBytes = 2 * TunnelWire.MostPayload;

    /// <summary>Returns when both directions have ended. A break of one side breaks the other.</summary>
    public static async Task RunAsync(TunnelStream stream, Socket socket, CancellationToken cancellationToken)
    {
        using var broken = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var up = UpAsync(stream, socket, broken.Token);
        var down = DownAsync(stream, socket, broken.Token);
        try
        {
            await await Task.WhenAny(up, down);
            await Task.WhenAll(up, down);
        }
        catch (Exception error) when (error is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
        {
            stream.Abort(error is SocketException ? "the service closed the connection: " + error.Message : "");
            await broken.CancelAsync();
            // Without a lingering end: what the service still writes is for nobody.
            socket.Close(0);
            await Task.WhenAll(up, down).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static async Task UpAsync(TunnelStream stream, Socket socket, CancellationToken cancellationToken)
    {
        while (true)
        {
            await socket.ReceiveAsync(Memory<byte>.Empty, cancellationToken);
            var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
            try
            {
                // Once bytes flow, the buffer stays until there are none.
                do
                {
                    var read = await socket.ReceiveAsync(buffer.AsMemory(0, BufferBytes), cancellationToken);
                    if (read == 0)
                    {
                        stream.EndWrites();
                        return;
                    }
                    await stream.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
                }
                while (socket.Available > 0);
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(buffer);
            }
        }
    }

    private static async Task DownAsync(TunnelStream stream, Socket socket, CancellationToken cancellationToken)
    {
        await stream.SendToAsync(socket, cancellationToken);
        socket.Shutdown(SocketShutdown.Send);
    }
}
