using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Cairn.Bench.Gateway;

/// <summary>One connection that sends whole requests and reads whole answers; as little work as a client can do.</summary>
internal sealed class KeepAlive : IDisposable
{
    private readonly Socket _socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly byte[] _buffer = new byte[16 << 10];

    public static async Task<KeepAlive> ConnectAsync(Uri to)
    {
        var connection = new KeepAlive();
        await connection._socket.ConnectAsync(to.Host, to.Port, CancellationToken.None);
        return connection;
    }

    /// <summary>Sends a request and reads its answer, which has a length and is a 200.</summary>
    public async ValueTask AskAsync(byte[] request)
    {
        await _socket.SendAsync(request, CancellationToken.None);
        var (length, whole) = (0, int.MaxValue);
        while (length < whole)
        {
            var read = await _socket.ReceiveAsync(_buffer.AsMemory(length), CancellationToken.None);
            if (read == 0)
                throw new InvalidOperationException("The connection was closed.");
            length += read;
            if (whole == int.MaxValue)
                whole = WholeLength(_buffer.AsSpan(0, length));
        }
    }

    /// <summary>Sends a request and tells when the first event came and how many there were.</summary>
    public async Task<(TimeSpan First, int Events)> StreamAsync(byte[] request)
    {
        var sent = System.Diagnostics.Stopwatch.GetTimestamp();
        await _socket.SendAsync(request, CancellationToken.None);
        var (first, events, tail) = (TimeSpan.Zero, 0, new byte[5]);
        while (true)
        {
            var read = await _socket.ReceiveAsync(_buffer, CancellationToken.None);
            if (read == 0)
                throw new InvalidOperationException("The connection was closed within a stream.");
            var here = Count(_buffer.AsSpan(0, read));
            if (events == 0 && here > 0)
                first = System.Diagnostics.Stopwatch.GetElapsedTime(sent);
            events += here;
            if (_buffer.AsSpan(0, read).EndsWith("0\r\n\r\n"u8))
                return (first, events);
        }
    }

    public void Dispose() => _socket.Dispose();

    private static int Count(ReadOnlySpan<byte> bytes)
    {
        var count = 0;
        for (var at = bytes.IndexOf("data: "u8); at >= 0; at = bytes.IndexOf("data: "u8))
        {
            count++;
            bytes = bytes[(at + 6)..];
        }
        return count;
    }

    private static int WholeLength(ReadOnlySpan<byte> bytes)
    {
        var end = bytes.IndexOf("\r\n\r\n"u8);
        if (end < 0)
            return int.MaxValue;
        if (!bytes.StartsWith("HTTP/1.1 200"u8))
            throw new InvalidOperationException(Encoding.ASCII.GetString(bytes));
        var at = bytes.IndexOf("Content-Length: "u8) + 16;
        var digits = bytes[at..(at + bytes[at..].IndexOf((byte)'\r'))];
        return end + 4 + int.Parse(digits, CultureInfo.InvariantCulture);
    }
}
