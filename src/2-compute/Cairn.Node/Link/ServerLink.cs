using Cairn.Contracts.Ids;
using Cairn.Contracts.Wire;
using Cairn.Node.Identity;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.Extensions.Logging;

namespace Cairn.Node.Link;

/// <summary>
/// Who is on the other side of the link while a connection stands: the client for blobs, and the secret that proves the calls.
/// </summary>
/// <param name="Over">Cancelled when the connection is gone, and the secret worth nothing.</param>
internal sealed record ServerSession(NodeLink.NodeLinkClient Client, ByteString Secret, CancellationToken Over);

/// <summary>What happens on the link. All calls come one after the other.</summary>
internal interface ILinkEvents
{
    /// <summary>Fills in what the node holds, before each handshake.</summary>
    Hello MakeHello();

    /// <summary>The handshake is over; what was not acknowledged is to be sent again.</summary>
    void Attached(Welcome welcome);

    void Received(ServerMessage message);

    NodeMessage MakeHeartbeat();
}

/// <summary>
/// Keeps one connection to the control plane, for as long as the daemon lives. What is sent while there is none is not queued here:
/// everything that matters is durable elsewhere and is sent again when <see cref="ILinkEvents.Attached"/> is called.
/// </summary>
internal sealed partial class ServerLink(
    NodeLink.NodeLinkClient client, NodeIdentity identity, NodeId nodeId, TimeProvider clock, Random random, ILogger logger)
{
    private static readonly TimeSpan s_handshakeTimeout = TimeSpan.FromSeconds(15);

    private static readonly TimeSpan s_worked = TimeSpan.FromSeconds(5);

    private volatile NodeConnection? _connection;
    private long? _attachedAt;
    private TaskCompletionSource<ServerSession> _session = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public bool IsAttached => _connection is not null;

    /// <summary>Sends over the connection that stands; false where there is none.</summary>
    public bool Send(NodeMessage message) => _connection?.Send(message) ?? false;

    /// <summary>The session of the connection that stands, or of the next one.</summary>
    public Task<ServerSession> SessionAsync(CancellationToken cancellationToken) => Volatile.Read(ref _session).Task.WaitAsync(cancellationToken);

    /// <summary>Connects, and connects again, until cancelled or refused.</summary>
    /// <returns>The server's refusal.</returns>
    public async Task<Refused> RunAsync(ILinkEvents events, int heartbeatSeconds, CancellationToken cancellationToken)
    {
        var failures = 0;
        while (true)
        {
            _attachedAt = null;
            try
            {
                if (await ConnectOnceAsync(events, heartbeatSeconds, cancellationToken) is { } refused)
                    return refused;
                LogStreamEnded(logger);
            }
            catch (Exception e) when (e is RpcException or IOException or InvalidOperationException or TimeoutException
                || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
            {
                LogConnectionLost(logger, e is RpcException rpc ? $"{rpc.StatusCode}: {rpc.Status.Detail}" : e.Message);
            }
            cancellationToken.ThrowIfCancellationRequested();
            // A server that takes a node and drops it at once is not a working one.
            failures = _attachedAt is { } since && clock.GetElapsedTime(since) > s_worked ? 0 : failures + 1;
            await Task.Delay(Backoff.Delay(failures, random.NextDouble()), clock, cancellationToken);
        }
    }

    private async Task<Refused?> ConnectOnceAsync(ILinkEvents events, int heartbeatSeconds, CancellationToken cancellationToken)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var opening = NodeConnection.OpenAsync(client, identity, nodeId, events.MakeHello(), ended.Token);
        var (connection, refused) = await WithinAsync(opening, ended);
        if (connection is null)
            return refused;
        using var _ = connection;
        _attachedAt = clock.GetTimestamp();
        var later = new TaskCompletionSource<Refused>(TaskCreationOptions.RunContinuationsAsynchronously);
        _connection = connection;
        Volatile.Read(ref _session).TrySetResult(new ServerSession(client, connection.Welcome.Session, ended.Token));
        LogAttached(logger);
        try
        {
            events.Attached(connection.Welcome);
            var seconds = connection.Welcome.HeartbeatSeconds > 0 ? connection.Welcome.HeartbeatSeconds : heartbeatSeconds;
            var beating = BeatAsync(connection, events, TimeSpan.FromSeconds(seconds), ended.Token);
            var running = connection.RunAsync(message => Receive(message, events, later), ended.Token);
            var first = await Task.WhenAny(running, later.Task, beating);
            await ended.CancelAsync();
            await Task.WhenAll(running, beating).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (later.Task.IsCompletedSuccessfully)
                return await later.Task;
            await first;
            return null;
        }
        finally
        {
            _connection = null;
            await ended.CancelAsync();
            Volatile.Write(ref _session, new TaskCompletionSource<ServerSession>(TaskCreationOptions.RunContinuationsAsynchronously));
        }
    }

    private static void Receive(ServerMessage message, ILinkEvents events, TaskCompletionSource<Refused> refused)
    {
        if (message.BodyCase == ServerMessage.BodyOneofCase.Refused)
            refused.TrySetResult(message.Refused);
        else
            events.Received(message);
    }

    private async Task BeatAsync(NodeConnection connection, ILinkEvents events, TimeSpan interval, CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(interval, clock);
        do
        {
            connection.Send(events.MakeHeartbeat());
        }
        while (await timer.WaitForNextTickAsync(cancellationToken));
    }

    /// <summary>A server that accepts the connection and says nothing is as good as none.</summary>
    private async Task<(NodeConnection? Connection, Refused? Refused)> WithinAsync(
        Task<(NodeConnection? Connection, Refused? Refused)> opening, CancellationTokenSource ended)
    {
        try
        {
            return await opening.WaitAsync(s_handshakeTimeout, clock, ended.Token);
        }
        catch
        {
            await ended.CancelAsync();
            await ((Task)opening).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            throw;
        }
    }
}
