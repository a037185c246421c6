using System.Threading.Channels;
using Cairn.Contracts.Wire;
using Grpc.Core;

namespace Cairn.Fleet.Link;

/// <summary>Why the server ended a stream.</summary>
internal enum StreamEnd
{
    None,

    /// <summary>The other side went away.</summary>
    Gone,

    /// <summary>The other side read slower than it was written to.</summary>
    TooSlow,

    /// <summary>Every node of the stream has moved to a newer one or was removed.</summary>
    NoNodesLeft,

    /// <summary>It wished to stand for more nodes than one stream may.</summary>
    TooManyNodes,

    /// <summary>None of its nodes proved its key in time.</summary>
    NoProof,

    /// <summary>A fault of the server, logged where it happened.</summary>
    Failed,

    /// <summary>The server stops.</summary>
    Stopping,

    /// <summary>The server does not lead, or leads no more.</summary>
    NotLeading,
}

/// <summary>
/// The outbound half of one attach stream: a bounded queue and the one writer that empties it. A full queue ends the stream: its nodes
/// come back and get what they missed by replay, so nothing is lost and memory stays bounded.
/// </summary>
internal sealed class NodeStream(int capacity) : IDisposable
{
    private static readonly WriteOptions s_moreFollows = new(WriteFlags.BufferHint);

    private readonly Channel<ServerMessage> _outbound = Channel.CreateBounded<ServerMessage>(
        new BoundedChannelOptions(capacity) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });

    private readonly CancellationTokenSource _closed = new();
    private int _end;
    private int _sessions;
    private volatile bool _proved;

    public int Capacity => capacity;

    /// <summary>Cancelled when the server ends the stream.</summary>
    public CancellationToken Closed => _closed.Token;

    public StreamEnd End => (StreamEnd)Volatile.Read(ref _end);

    public bool TrySend(ServerMessage message)
    {
        if (_outbound.Writer.TryWrite(message))
            return true;
        Close(StreamEnd.TooSlow);
        return false;
    }

    /// <summary>
    /// Waits for room in the queue: for answers to what the stream itself brought, so that a hasty sender slows itself down.
    /// </summary>
    public async ValueTask SendAsync(ServerMessage message, CancellationToken cancellationToken)
    {
        try
        {
            await _outbound.Writer.WriteAsync(message, cancellationToken);
        }
        catch (ChannelClosedException)
        {
            // The stream is over; replay tells the node after it has come back.
        }
    }

    public void Close(StreamEnd end)
    {
        if (Interlocked.CompareExchange(ref _end, (int)end, (int)StreamEnd.None) != (int)StreamEnd.None)
            return;
        _outbound.Writer.TryComplete();
        // Cancelling runs continuations of the stream's reader; not on the caller, who may hold a session's lock.
        _ = _closed.CancelAsync();
    }

    public void SessionOpened()
    {
        _proved = true;
        Interlocked.Increment(ref _sessions);
    }

    /// <summary>A connection that proves nothing holds nothing for long.</summary>
    public void EndUnlessProved()
    {
        if (!_proved)
            Close(StreamEnd.NoProof);
    }

    /// <summary>A session of the stream was replaced or removed; the last one takes the stream along.</summary>
    public void SessionClosed()
    {
        if (Interlocked.Decrement(ref _sessions) == 0)
            Close(StreamEnd.NoNodesLeft);
    }

    /// <summary>Writes until the stream ends. Flushes only when the queue is empty, so a burst costs few packets.</summary>
    public async Task PumpAsync(IAsyncStreamWriter<ServerMessage> writer, CancellationToken cancellationToken)
    {
        var queue = _outbound.Reader;
        while (await queue.WaitToReadAsync(cancellationToken))
        {
            while (queue.TryRead(out var message))
            {
                writer.WriteOptions = queue.TryPeek(out _) ? s_moreFollows : null;
                await writer.WriteAsync(message, cancellationToken);
            }
        }
    }

    public void Dispose() => _closed.Dispose();
}
