using System.Net;
using System.Net.Sockets;
using Cairn.Contracts.Ids;
using Cairn.Contracts.Tunnels;
using Cairn.Serving.Gateway.Calls;

namespace Cairn.Serving.Tests.PassingThrough;

/// <summary>Both ends of a node's tunnel over a real socket; its node connects every stream to the port that it is for.</summary>
internal sealed class LoopbackTunnel : ITunnels, IAsyncDisposable
{
    private readonly Socket _dialer;
    private readonly Socket _acceptor;
    private readonly TunnelMux _dialing;
    private readonly Task[] _running;
    private int _dialled;

    private LoopbackTunnel(Socket dialer, Socket acceptor)
    {
        (_dialer, _acceptor) = (dialer, acceptor);
        _dialing = new TunnelMux(new NetworkStream(dialer), 1000);
        var accepting = new TunnelMux(new NetworkStream(acceptor), 1000, ConnectAsync);
        _running = [_dialing.RunAsync(CancellationToken.None), accepting.RunAsync(CancellationToken.None)];
    }

    public int Dialled => Volatile.Read(ref _dialled);

    public static async Task<LoopbackTunnel> StartAsync()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        var dialer = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await dialer.ConnectAsync(listener.LocalEndPoint!);
        var acceptor = await listener.AcceptAsync();
        acceptor.NoDelay = true;
        return new LoopbackTunnel(dialer, acceptor);
    }

    public async Task<Stream> DialAsync(TaskId task, int port, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _dialled);
        return await _dialing.OpenAsync(new TunnelTarget(task, port), cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        _dialer.Dispose();
        _acceptor.Dispose();
        await Task.WhenAll(_running).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private static async Task ConnectAsync(TunnelStream stream, TunnelTarget target)
    {
        using var client = new TcpClient { NoDelay = true };
        try
        {
            await client.ConnectAsync(IPAddress.Loopback, target.Port);
            stream.Accept();
            var socket = client.GetStream();
            var up = CopyAsync(socket, stream, stream.EndWrites);
            var down = CopyAsync(stream, socket, () => client.Client.Shutdown(SocketShutdown.Send));
            await await Task.WhenAny(up, down);
            await Task.WhenAll(up, down);
        }
        catch (Exception broken) when (broken is IOException or SocketException or InvalidOperationException)
        {
            stream.Abort("the service closed the connection");
        }
    }

    private static async Task CopyAsync(Stream from, Stream to, Action end)
    {
        await from.CopyToAsync(to);
        end();
    }
}
