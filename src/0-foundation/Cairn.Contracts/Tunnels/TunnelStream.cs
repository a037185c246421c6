using System.Buffers.Binary;
using System.Net.Sockets;

namespace Cairn.Contracts.Tunnels;

/// <summary>
/// One stream of a tunnel. It behaves as a socket does: bytes arrive in order and whole, each side may end its writing alone, and a reader
/// that does not read stops its own writer and no other stream. One reader and one writer at a time.
/// </summary>
public sealed class TunnelStream : DuplexStream
{
    private readonly TunnelMux _mux;
    private readonly Lock _gate = new();
    private readonly ReceiveQueue _received = new();
    private readonly TaskCompletionSource _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _sendCredit = TunnelWire.Window;
    private int _receiveCredit = TunnelWire.Window;
    private int _window = TunnelWire.Window;
    private int _consumed;
    private bool _theyEnded;
    private bool _weEnded;
    private IOException? _fault;
    private TaskCompletionSource? _reader;
    private TaskCompletionSource? _writer;

    internal TunnelStream(TunnelMux mux, uint number) => (_mux, Number) = (mux, number);

    /// <summary>Completes when the other end has opened it; fails with an <see cref="IOException"/> where it refused.</summary>
    internal Task Opened => _opened.Task;

    internal uint Number { get; }

    /// <summary>By how many bytes its window has grown; the tunnel's, under its lock.</summary>
    internal int Growth { get; set; }

    /// <summary>Tells the end that dialled that the stream stands.</summary>
    /// <exception cref="IOException">The stream or the tunnel is over.</exception>
    public void Accept() => _mux.Send(Number, FrameKind.Opened, []);

    /// <summary>Ends the stream at once, and tells the other end why.</summary>
    public void Abort(string reason)
    {
        bool tell;
        lock (_gate)
        {
            tell = _fault is null && !(_theyEnded && _weEnded);
            _received.Clear();
            FailLocked(new IOException("the stream was closed"));
        }
        _mux.Forget(this, tell ? reason : null);
    }

    /// <summary>Ends writing; the other end reads to here. Reading goes on. Does nothing the second time.</summary>
    /// <exception cref="IOException">The stream or the tunnel is over.</exception>
    public void EndWrites()
    {
        bool both;
        lock (_gate)
        {
            if (_fault is not null)
                throw Broken(_fault);
            if (_weEnded)
                return;
            _weEnded = true;
            both = _theyEnded;
        }
        _mux.Send(Number, FrameKind.End, []);
        if (both)
            _mux.Forget(this, null);
    }

    /// <summary>What has arrived; 0 at the end. With an empty buffer: waits until there is something to read, or nothing to come.</summary>
    /// <exception cref="IOException">The stream was aborted, or the tunnel broke.</exception>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (true)
        {
            Task arrival;
            int read, grant;
            lock (_gate)
            {
                read = TryRead(buffer.Span, out grant);
                if (read < 0)
                    _reader = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                arrival = _reader?.Task ?? Task.CompletedTask;
            }
            if (grant > 0)
                Grant(grant);
            if (read >= 0)
                return read;
            await arrival.WaitAsync(cancellationToken);
        }
    }

    /// <summary>
    /// Reads to the end and sends everything on to a socket, all that has arrived in one call and without a copy. Room for more is made as
    /// the socket takes it.
    /// </summary>
    /// <exception cref="IOException">The stream was aborted, or the tunnel broke.</exception>
    /// <exception cref="OperationCanceledException">Cancelled while nothing had arrived.</exception>
    /// <exception cref="SocketException">The socket's other end is gone, or it was cancelled while the socket took nothing, which closes the
    /// socket.</exception>
    /// <exception cref="ObjectDisposedException">The socket is closed.</exception>
    public async Task SendToAsync(Socket socket, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(socket);
        // The call that sends pieces knows no cancellation.
        await using var closing = cancellationToken.UnsafeRegister(static s => ((Socket)s!).Close(0), socket);
        var pieces = new List<ArraySegment<byte>>();
        while (await ReadAsync(Memory<byte>.Empty, cancellationToken) == 0 && TakeAll(pieces) is var taken and > 0)
        {
            while (pieces.Count > 0)
                ReceiveQueue.Return(pieces, await socket.SendAsync(pieces, SocketFlags.None));
            int grant;
            lock (_gate)
                grant = Consumed(taken);
            if (grant > 0)
                Grant(grant);
        }
    }

    /// <summary>Writes as the other end's reader makes room.</summary>
    /// <exception cref="IOException">The stream was aborted, or the tunnel broke.</exception>
    /// <exception cref="InvalidOperationException">Writing was ended.</exception>
    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (!buffer.IsEmpty)
        {
            var count = await TakeCreditAsync(Math.Min(buffer.Length, FrameWriter.MostData), cancellationToken);
            try
            {
                await _mux.SendDataAsync(Number, buffer[..count], cancellationToken);
            }
            catch (OperationCanceledException)
            {
                Credit(count);
                throw;
            }
            buffer = buffer[count..];
        }
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    internal void MarkOpened() => _opened.TrySetResult();

    /// <exception cref="InvalidDataException">More has arrived than there was room for.</exception>
    internal void Receive(ReadOnlySpan<byte> data)
    {
        lock (_gate)
        {
            if (_fault is not null)
                return;
            if (_theyEnded || data.Length > _receiveCredit)
                throw new InvalidDataException("the other end sent more on a stream than it may");
            _receiveCredit -= data.Length;
            _received.Append(data);
            _reader?.TrySetResult();
        }
    }

    internal void Credit(int bytes)
    {
        lock (_gate)
        {
            if (bytes <= 0 || bytes > TunnelWire.MostWindow - _sendCredit)
                throw new InvalidDataException("the other end made more room on a stream than there is");
            _sendCredit += bytes;
            _writer?.TrySetResult();
        }
    }

    internal void ReceiveEnd()
    {
        bool both;
        lock (_gate)
        {
            _theyEnded = true;
            both = _weEnded;
            _reader?.TrySetResult();
        }
        if (both)
            _mux.Forget(this, null);
    }

    /// <summary>The stream is over for a reason from outside. What has arrived before may still be read where it had ended.</summary>
    internal void Fail(IOException fault)
    {
        lock (_gate)
        {
            if (!_theyEnded)
                _received.Clear();
            FailLocked(fault);
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            Abort("");
        base.Dispose(disposing);
    }

    private void FailLocked(IOException fault)
    {
        _fault ??= fault;
        _opened.TrySetException(_fault);
        _ = _opened.Task.Exception;
        _reader?.TrySetResult();
        _writer?.TrySetResult();
    }

    /// <returns>Bytes read; -1 where the reader has to wait.</returns>
    private int TryRead(Span<byte> target, out int grant)
    {
        grant = 0;
        if (_received.Length == 0)
            return _theyEnded ? 0 : _fault is not null ? throw Broken(_fault) : -1;
        if (target.IsEmpty)
            return 0;
        var read = _received.Read(target);
        grant = Consumed(read);
        return read;
    }

    /// <returns>0 where the stream ended.</returns>
    private int TakeAll(List<ArraySegment<byte>> pieces)
    {
        lock (_gate)
        {
            var length = _received.Length;
            if (length == 0 && !_theyEnded)
                throw Broken(_fault!);
            _received.TakeAll(pieces);
            return length;
        }
    }

    /// <returns>The credit that goes back: halves of the window, so few frames, and a steady reader's writer never stands still.</returns>
    private int Consumed(int bytes)
    {
        _consumed += bytes;
        if (_consumed < _window / 2 || _theyEnded || _fault is not null)
            return 0;
        var grant = _consumed + Grow();
        _consumed = 0;
        _receiveCredit += grant;
        return grant;
    }

    // The window, not the reader, is what holds a writer up whose reader leaves little unread.
    private int Grow()
    {
        if (_received.Length > _window / 4 || _window > TunnelWire.MostWindow / 2 || !_mux.TryGrow(this, _window))
            return 0;
        var growth = _window;
        _window += growth;
        return growth;
    }

    private void Grant(int bytes)
    {
        Span<byte> payload = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(payload, bytes);
        try
        {
            _mux.Send(Number, FrameKind.Credit, payload);
        }
        catch (IOException)
        {
            // The tunnel is broken; the next read says so.
        }
    }

    private async ValueTask<int> TakeCreditAsync(int most, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task credit;
            lock (_gate)
            {
                if (_fault is not null)
                    throw Broken(_fault);
                if (_weEnded)
                    throw new InvalidOperationException("writing to the stream was ended");
                if (_sendCredit > 0)
                {
                    var count = Math.Min(most, _sendCredit);
                    _sendCredit -= count;
                    return count;
                }
                _writer = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                credit = _writer.Task;
            }
            await credit.WaitAsync(cancellationToken);
        }
    }

    private static IOException Broken(IOException fault) => new(fault.Message, fault);
}
