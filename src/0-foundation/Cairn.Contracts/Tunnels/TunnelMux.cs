using System.Buffers.Binary;
using System.Text;

namespace Cairn.Contracts.Tunnels;

/// <summary>
/// Many streams over one connection, each with a window of its own and none over all of them: what one reader leaves unread never stops
/// another. One end dials (the server), the other accepts (the node).
/// </summary>
public sealed class TunnelMux
{
    private readonly FrameReader _reader;
    private readonly FrameWriter _writer;
    private readonly int _mostStreams;
    private readonly Func<TunnelStream, TunnelTarget, Task>? _accept;
    private readonly Lock _gate = new();
    private readonly Dictionary<uint, TunnelStream> _streams = [];
    private uint _last;
    private int _growth;
    private IOException? _fault;

    /// <param name="transport">The connection; the caller disposes it after <see cref="RunAsync"/>.</param>
    /// <param name="mostStreams">Open at once; one more is refused.</param>
    /// <param name="accept">
    /// Takes what the other end opens: calls <see cref="TunnelStream.Accept"/> or <see cref="TunnelStream.Abort"/>. Null at the end that
    /// dials.
    /// </param>
    public TunnelMux(Stream transport, int mostStreams, Func<TunnelStream, TunnelTarget, Task>? accept = null)
    {
        ArgumentNullException.ThrowIfNull(transport);
        ArgumentOutOfRangeException.ThrowIfLessThan(mostStreams, 1);
        (_mostStreams, _accept) = (mostStreams, accept);
        (_reader, _writer) = (new FrameReader(transport, Take), new FrameWriter(transport));
    }

    /// <summary>Streams that are open now.</summary>
    public int StreamCount
    {
        get
        {
            lock (_gate)
                return _streams.Count;
        }
    }

    /// <summary>Opens a stream; returns when the other end has reached the target.</summary>
    /// <exception cref="IOException">The other end refuses, or the tunnel is broken.</exception>
    public async Task<TunnelStream> OpenAsync(TunnelTarget target, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(target.Port, 1, nameof(target));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(target.Port, ushort.MaxValue, nameof(target));
        var stream = Begin(target);
        try
        {
            await stream.Opened.WaitAsync(cancellationToken);
            return stream;
        }
        catch
        {
            await stream.DisposeAsync();
            throw;
        }
    }

    /// <summary>Reads until the connection ends; then every stream fails.</summary>
    /// <returns>Why it ended.</returns>
    public async Task<string> RunAsync(CancellationToken cancellationToken)
    {
        var reason = "its other end closed it";
        try
        {
            await _reader.RunAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            reason = "it was closed";
        }
        catch (Exception error) when (error is IOException or InvalidDataException or ObjectDisposedException)
        {
            reason = error.Message;
        }
        Break(new IOException("the tunnel to the node ended: " + reason));
        return reason;
    }

    internal void Send(uint stream, FrameKind kind, ReadOnlySpan<byte> payload) => _writer.Send(stream, kind, payload);

    internal ValueTask SendDataAsync(uint stream, ReadOnlyMemory<byte> data, CancellationToken cancellationToken) =>
        _writer.SendAsync(stream, data, cancellationToken);

    /// <summary>Whether the window of an open stream may grow; what it grows by is the others' again when it is over.</summary>
    internal bool TryGrow(TunnelStream stream, int bytes)
    {
        lock (_gate)
        {
            if (bytes > TunnelWire.GrowthBytes - _growth || !_streams.ContainsKey(stream.Number))
                return false;
            _growth += bytes;
            stream.Growth += bytes;
            return true;
        }
    }

    /// <summary>A stream is over here; with a reason, the other end is told.</summary>
    internal void Forget(TunnelStream stream, string? reason)
    {
        lock (_gate)
        {
            if (!_streams.Remove(stream.Number))
                return;
            _growth -= stream.Growth;
            if (reason is null || _fault is not null)
                return;
        }
        Reset(stream.Number, reason);
    }

    private TunnelStream Begin(TunnelTarget target)
    {
        Span<byte> payload = stackalloc byte[TunnelTarget.Bytes];
        target.Write(payload);
        lock (_gate)
        {
            if (_fault is not null)
                throw new IOException(_fault.Message, _fault);
            if (_streams.Count >= _mostStreams)
                throw new IOException($"the tunnel has {_streams.Count} streams open, as many as it may");
            var stream = new TunnelStream(this, ++_last);
            // Within the lock, for numbers only ever grow on the wire.
            _writer.Send(stream.Number, FrameKind.Open, payload);
            _streams.Add(stream.Number, stream);
            return stream;
        }
    }

    private void Take(FrameHeader header, ReadOnlySpan<byte> payload)
    {
        if (header.Kind == FrameKind.Open)
        {
            TakeOpen(header.Stream, TunnelTarget.Read(payload));
            return;
        }
        TunnelStream? stream;
        lock (_gate)
        {
            if (header.Stream == 0 || header.Stream > _last)
                throw new InvalidDataException($"the other end sent a frame of stream {header.Stream}, which was never opened");
            stream = _streams.GetValueOrDefault(header.Stream);
        }
        // What still arrives for a stream that is over here was under way when the other end was told.
        if (stream is null)
            return;
        switch (header.Kind)
        {
            case FrameKind.Opened:
                stream.MarkOpened();
                break;
            case FrameKind.Data:
                stream.Receive(payload);
                break;
            case FrameKind.Credit:
                stream.Credit(BinaryPrimitives.ReadInt32BigEndian(payload));
                break;
            case FrameKind.End:
                stream.ReceiveEnd();
                break;
            case FrameKind.Reset:
                Forget(stream, null);
                stream.Fail(new IOException(payload.IsEmpty ? "the other end closed the stream" : Encoding.UTF8.GetString(payload)));
                break;
        }
    }

    private void TakeOpen(uint number, TunnelTarget target)
    {
        TunnelStream? stream = null;
        lock (_gate)
        {
            if (_accept is null || number <= _last)
                throw new InvalidDataException($"the other end opened stream {number}, which it may not");
            _last = number;
            if (_streams.Count < _mostStreams)
                _streams.Add(number, stream = new TunnelStream(this, number));
        }
        if (stream is null)
            Reset(number, $"the node has {_mostStreams} streams open, as many as it may");
        else
            _ = Task.Run(() => _accept(stream, target));
    }

    private void Reset(uint number, string reason)
    {
        var bytes = Encoding.UTF8.GetBytes(reason);
        try
        {
            _writer.Send(number, FrameKind.Reset, bytes.AsSpan(0, Math.Min(bytes.Length, TunnelWire.MostReason)));
        }
        catch (IOException)
        {
            // The tunnel is broken, and every stream with it.
        }
    }

    private void Break(IOException fault)
    {
        TunnelStream[] streams;
        lock (_gate)
        {
            _fault ??= fault;
            streams = [.. _streams.Values];
            _streams.Clear();
        }
        _writer.Fail(fault);
        foreach (var stream in streams)
            stream.Fail(fault);
    }
}
