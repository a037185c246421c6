using System.Security.Cryptography;
using Cairn.Contracts.Ids;
using Cairn.Contracts.Wire;
using Cairn.Fleet.Nodes;
using Google.Protobuf;

namespace Cairn.Fleet.Link;

/// <summary>
/// One node's proven presence on one stream. A newer session of the same node closes this one, and what still arrives for it is dropped.
/// Until the welcome has been sent, what is to be sent waits, so that the welcome is the first thing the node hears.
/// </summary>
internal sealed class NodeSession
{
    private readonly NodeStream _stream;
    private readonly byte[] _secret = RandomNumberGenerator.GetBytes(32);
    private readonly ServerMessage _heartbeatAck;
    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _over = new();
    private List<ServerMessage>? _waiting = [];
    private volatile bool _welcome;
    private volatile bool _closed;

    internal NodeSession(FleetNode node, NodeStream stream, long number, long bootEpoch)
    {
        Node = node;
        Number = number;
        BootEpoch = bootEpoch;
        _stream = stream;
        _heartbeatAck = new ServerMessage { NodeId = node.WireId, HeartbeatAck = new HeartbeatAck() };
    }

    public NodeId NodeId => Node.Id;

    public FleetNode Node { get; }

    /// <summary>Grows with every session of this server; a later one of the same node wins.</summary>
    public long Number { get; }

    public long BootEpoch { get; }

    public bool IsCurrent => !_closed;

    /// <summary>True once the node may speak of its work.</summary>
    public bool IsWelcome => _welcome && !_closed;

    /// <summary>Cancelled when the session is over: what else its node holds with it goes too.</summary>
    internal CancellationToken Over => _over.Token;

    internal NodeStream Stream => _stream;

    /// <summary>Where each task's log belongs, as asked once. Touched by the stream's reader only.</summary>
    internal Dictionary<(TaskId Task, long Epoch), TaskLogKey> Logs { get; } = [];

    /// <summary>Queues a message to the node. False when the session is over: the node gets it by replay when it is back.</summary>
    public bool Send(ServerMessage message)
    {
        message.NodeId = Node.WireId;
        lock (_gate)
        {
            if (_closed)
                return false;
            if (_waiting is null)
                return _stream.TrySend(message);
            if (_waiting.Count >= _stream.Capacity)
            {
                _stream.Close(StreamEnd.TooSlow);
                return false;
            }
            _waiting.Add(message);
            return true;
        }
    }

    internal bool SendHeartbeatAck() => _stream.TrySend(_heartbeatAck);

    internal ValueTask SendHeartbeatAckAsync(CancellationToken cancellationToken) => _stream.SendAsync(_heartbeatAck, cancellationToken);

    /// <summary>Answers what the node sent, waiting for room: a node that sends faster than it reads slows itself down.</summary>
    internal ValueTask ReplyAsync(ServerMessage message, CancellationToken cancellationToken) =>
        SendInTurnAsync(message, cancellationToken);

    /// <summary>
    /// Sends the welcome, then the replayed commands, then what was sent meanwhile; from then on messages go straight to the queue.
    /// </summary>
    internal async Task SendWelcomeAsync(Welcome welcome, IReadOnlyList<ServerMessage> commands, CancellationToken cancellationToken)
    {
        welcome.Session = ByteString.CopyFrom(_secret);
        _welcome = true;
        await SendInTurnAsync(new ServerMessage { Welcome = welcome }, cancellationToken);
        foreach (var command in commands)
            await SendInTurnAsync(command, cancellationToken);
        while (TakeWaiting() is { } waiting)
        {
            foreach (var message in waiting)
                await SendInTurnAsync(message, cancellationToken);
        }
    }

    private async ValueTask SendInTurnAsync(ServerMessage message, CancellationToken cancellationToken)
    {
        if (_closed)
            return;
        message.NodeId = Node.WireId;
        await _stream.SendAsync(message, cancellationToken);
    }

    private List<ServerMessage>? TakeWaiting()
    {
        lock (_gate)
        {
            var taken = _waiting;
            _waiting = taken is { Count: > 0 } ? [] : null;
            return taken is { Count: > 0 } ? taken : null;
        }
    }

    internal bool SecretIs(ReadOnlySpan<byte> presented) => !_closed && CryptographicOperations.FixedTimeEquals(_secret, presented);

    /// <summary>Ends the session; true for the call that did it.</summary>
    internal bool Close()
    {
        lock (_gate)
        {
            if (_closed)
                return false;
            _closed = true;
            _waiting = null;
            // Not on the caller, who may hold a lock.
            _ = _over.CancelAsync();
            return true;
        }
    }
}
