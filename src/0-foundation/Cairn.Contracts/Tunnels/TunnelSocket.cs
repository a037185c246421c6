using System.Buffers;
using System.Net.Sockets;

namespace Cairn.Contracts.Tunnels;

/// <summary>
/// The socket under a tunnel's TLS, which reads and writes one record of 16 KiB at a time: the socket is read in larger pieces, and whole
/// records wait to be sent together. What is shorter than a whole record goes out at once, and what waits with it; after a whole one,
/// whoever writes flushes. Holds no buffer while nothing is under way. One reader and one writer at a time.
/// </summary>
public sealed class TunnelSocket : DuplexStream
{
    private const int BufferBytes = 128 << 10;
    private const int WholeRecord = 16 << 10; // RFC 8446, 5.1: 2^14 bytes of plaintext at most
    private readonly Socket _socket;
    private byte[]? _read;
    private int _start;
    private int _end;
    private byte[]? _unsent;
    private int _waiting;

    /// <param name="socket">A connected one; it is the stream's from here on.</param>
    public TunnelSocket(Socket socket)
    {
        ArgumentNullException.ThrowIfNull(socket);
        _socket = socket;
    }

    /// <summary>What has arrived; 0 at the end. With an empty buffer: waits until there is something to read, or nothing to come.</summary>
    /// <exception cref="IOException">The connection is broken.</exception>
    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        _start < _end ? ValueTask.FromResult(Take(buffer.Span)) : FillAsync(buffer, cancellationToken);

    /// <exception cref="IOException">The connection is broken.</exception>
    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var isWhole = buffer.Length >= WholeRecord;
        if (_waiting + buffer.Length > BufferBytes)
            await FlushAsync(cancellationToken);
        if (buffer.Length > BufferBytes || (_waiting == 0 && !isWhole))
        {
            await SendAsync(buffer, cancellationToken);
            return;
        }
        _unsent ??= ArrayPool<byte>.Shared.Rent(BufferBytes);
        buffer.CopyTo(_unsent.AsMemory(_waiting));
        _waiting += buffer.Length;
        if (!isWhole)
            await FlushAsync(cancellationToken);
    }

    /// <exception cref="IOException">The connection is broken.</exception>
    public override async Task FlushAsync(CancellationToken cancellationToken)
    {
        if (_unsent is not { } unsent)
            return;
        (_unsent, var waiting, _waiting) = (null, _waiting, 0);
        await SendAsync(unsent.AsMemory(0, waiting), cancellationToken);
        ArrayPool<byte>.Shared.Return(unsent);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _socket.Dispose();
        base.Dispose(disposing);
    }

    private async ValueTask<int> FillAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        try
        {
            if (buffer.IsEmpty)
                return await _socket.ReceiveAsync(buffer, cancellationToken);
            _read ??= ArrayPool<byte>.Shared.Rent(BufferBytes);
            (_start, _end) = (0, await _socket.ReceiveAsync(_read.AsMemory(), cancellationToken));
            return Take(buffer.Span);
        }
        catch (SocketException error)
        {
            throw new IOException(error.Message, error);
        }
    }

    private int Take(Span<byte> target)
    {
        var count = Math.Min(target.Length, _end - _start);
        _read.AsSpan(_start, count).CopyTo(target);
        _start += count;
        // A buffer that was not filled emptied the socket: what comes next is waited for without one.
        if (_start == _end && _end < _read!.Length)
        {
            ArrayPool<byte>.Shared.Return(_read);
            _read = null;
        }
        return count;
    }

    private async ValueTask SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        try
        {
            while (!bytes.IsEmpty)
                bytes = bytes[await _socket.SendAsync(bytes, cancellationToken)..];
        }
        catch (SocketException error)
        {
            throw new IOException(error.Message, error);
        }
    }
}
