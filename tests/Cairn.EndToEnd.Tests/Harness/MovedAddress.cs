using System.Net;
using System.Net.Sockets;

namespace Cairn.EndToEnd.Tests;

/// <summary>An address that has moved from a server to another: who dials the one reaches the other.</summary>
internal sealed class MovedAddress : IAsyncDisposable
{
    private readonly TcpListener _listener;
    private readonly int _to;
    private readonly CancellationTokenSource _over = new();
    private readonly Task _accepting;

    public MovedAddress(int from, int to)
    {
        _to = to;
        _listener = new TcpListener(IPAddress.Loopback, from);
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _over.CancelAsync();
        _listener.Stop();
        await _accepting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _over.Dispose();
    }

    private async Task AcceptAsync()
    {
        var connections = new List<Task>();
        try
        {
            while (true)
                connections.Add(ServeAsync(await _listener.AcceptTcpClientAsync(_over.Token)));
        }
        finally
        {
            await Task.WhenAll(connections);
        }
    }

    private async Task ServeAsync(TcpClient dialled)
    {
        using (dialled)
        using (var server = new TcpClient())
        using (var broken = CancellationTokenSource.CreateLinkedTokenSource(_over.Token))
        {
            try
            {
                await server.ConnectAsync(IPAddress.Loopback, _to, broken.Token);
                var (here, there) = (dialled.GetStream(), server.GetStream());
                await Task.WhenAny(here.CopyToAsync(there, broken.Token), there.CopyToAsync(here, broken.Token));
            }
            catch (Exception error) when (error is IOException or SocketException or OperationCanceledException)
            {
                // Either side is gone, and the other is told by closing.
            }
            await broken.CancelAsync();
        }
    }
}
