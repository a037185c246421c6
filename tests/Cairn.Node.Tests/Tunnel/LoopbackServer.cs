using System.Net;
using System.Net.Sockets;

namespace Cairn.Node.Tests.Tunnel;

/// <summary>What a service's task would be: a listener on loopback. By default it gives back what it gets.</summary>
internal sealed class LoopbackServer : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);

    public LoopbackServer(Func<NetworkStream, Task>? serve = null)
    {
        _listener.Start();
        _ = ListenAsync(serve ?? EchoAsync);
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public void Dispose() => _listener.Dispose();

    /// <summary>Sends until the other side has enough.</summary>
    public static async Task FloodAsync(NetworkStream stream)
    {
        while (true)
            await stream.WriteAsync(new byte[32 << 10]);
    }

    private static async Task EchoAsync(NetworkStream stream)
    {
        await stream.CopyToAsync(stream);
        stream.Socket.Shutdown(SocketShutdown.Send);
    }

    private async Task ListenAsync(Func<NetworkStream, Task> serve)
    {
        try
        {
            while (true)
                _ = ServeAsync(await _listener.AcceptTcpClientAsync(), serve);
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private static async Task ServeAsync(TcpClient client, Func<NetworkStream, Task> serve)
    {
        using var _ = client;
        try
        {
            await serve(client.GetStream());
        }
        catch (IOException)
        {
            // The other side is gone, as it may.
        }
    }
}
