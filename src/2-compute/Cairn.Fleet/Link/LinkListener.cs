using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using Cairn.Fleet.Tunnels;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace Cairn.Fleet.Link;

/// <summary>Accepts connections: those that ask for a tunnel go through its door, the others to Kestrel, with not a byte taken.</summary>
internal sealed class LinkListener : IConnectionListener
{
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(50);
    private readonly Socket _socket;
    private readonly SocketConnectionContextFactory _kestrel;
    private readonly TunnelDoor _door;
    private readonly TimeProvider _time;
    private readonly Channel<ConnectionContext> _others = Channel.CreateUnbounded<ConnectionContext>();
    private readonly ConcurrentDictionary<Task, bool> _connections = new();
    private readonly CancellationTokenSource _closed = new();
    private readonly Task _accepting;

    public LinkListener(Socket socket, SocketConnectionContextFactory kestrel, TunnelDoor door, TimeProvider time)
    {
        (_socket, _kestrel, _door, _time) = (socket, kestrel, door, time);
        EndPoint = socket.LocalEndPoint!;
        _accepting = Task.Run(ListenAsync);
    }

    public EndPoint EndPoint { get; }

    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        while (await _others.Reader.WaitToReadAsync(cancellationToken))
        {
            if (_others.Reader.TryRead(out var connection))
                return connection;
        }
        return null;
    }

    /// <summary>Accepts no more. What stands goes on.</summary>
    public async ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        _socket.Dispose();
        await _accepting;
    }

    /// <summary>Ends every tunnel.</summary>
    public async ValueTask DisposeAsync()
    {
        await UnbindAsync();
        await _closed.CancelAsync();
        await Task.WhenAll(_connections.Keys);
        // What was accepted and nobody asked for any more.
        while (_others.Reader.TryRead(out var connection))
            await connection.DisposeAsync();
        _closed.Dispose();
    }

    private async Task ListenAsync()
    {
        try
        {
            while (true)
                Keep(ServeAsync(await AcceptSocketAsync()));
        }
        catch (Exception error) when (error is ObjectDisposedException or SocketException { SocketErrorCode: SocketError.OperationAborted })
        {
            _others.Writer.Complete();
        }
        catch (Exception error)
        {
            // Kestrel's own loop gets it, and stops the host.
            _others.Writer.Complete(error);
        }
    }

    private async Task<Socket> AcceptSocketAsync()
    {
        while (true)
        {
            try
            {
                return await _socket.AcceptAsync();
            }
            catch (SocketException error) when (error.SocketErrorCode is SocketError.ConnectionReset or SocketError.ConnectionAborted)
            {
                // Its client left before it was accepted.
            }
            catch (SocketException error) when (error.SocketErrorCode is SocketError.TooManyOpenSockets or SocketError.NoBufferSpaceAvailable)
            {
                await Task.Delay(s_pause, _time);
            }
        }
    }

    private void Keep(Task connection)
    {
        _connections.TryAdd(connection, true);
        _ = connection.ContinueWith(
            ended => _connections.TryRemove(ended, out _), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    private async Task ServeAsync(Socket socket)
    {
        socket.NoDelay = true;
        if (await _door.TryServeAsync(socket, _closed.Token))
            return;
        var connection = _kestrel.Create(socket);
        if (!_others.Writer.TryWrite(connection))
            await connection.DisposeAsync();
    }
}
