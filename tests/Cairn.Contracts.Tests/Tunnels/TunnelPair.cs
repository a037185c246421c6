using System.Net;
using System.Net.Sockets;
using Cairn.Contracts.Ids;
using Cairn.Contracts.Tunnels;

namespace Cairn.Contracts.Tests.Tunnels;

/// <summary>Both ends of a tunnel over a real socket. The accepting end hands every stream to the test.</summary>
internal sealed class TunnelPair : IAsyncDisposable
{
    public static readonly TunnelTarget Target = new(TaskId.From(Guid.CreateVersion7()), 8_000);
    private readonly Socket _dialer;
    private readonly Socket _acceptor;
    private readonly Task<string>[] _running;

    private TunnelPair(Socket dialer, Socket acceptor, int mostStreams, Func<TunnelStream, TunnelTarget, Task> accept)
    {
        (_dialer, _acceptor) = (dialer, acceptor);
        Dialing = new TunnelMux(new NetworkStream(dialer), 100_000);
        Accepting = new TunnelMux(new NetworkStream(acceptor), mostStreams, accept);
        _running = [Dialing.RunAsync(CancellationToken.None), Accepting.RunAsync(CancellationToken.None)];
    }

    public TunnelMux Dialing { get; }

    public TunnelMux Accepting { get; }

    public Task<string> DialingEnds => _running[0];

    public static async Task<TunnelPair> StartAsync(Func<TunnelStream, TunnelTarget, Task> accept, int mostStreams = 100_000)
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        var dialer = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await dialer.ConnectAsync(listener.LocalEndPoint!);
        var acceptor = await listener.AcceptAsync();
        acceptor.NoDelay = true;
        return new TunnelPair(dialer, acceptor, mostStreams, accept);
    }

    /// <summary>A tunnel whose other end gives back what it gets.</summary>
    public static Task<TunnelPair> EchoAsync() => StartAsync(async (stream, _) =>
    {
        stream.Accept();
        await stream.CopyToAsync(stream);
        stream.EndWrites();
    });

    public Task<TunnelStream> OpenAsync() => Dialing.OpenAsync(Target, TestContext.Current.CancellationToken);

    public void CutConnection() => _acceptor.Close(0);

    public async ValueTask DisposeAsync()
    {
        _dialer.Dispose();
        _acceptor.Dispose();
        await Task.WhenAll(_running);
    }
}
