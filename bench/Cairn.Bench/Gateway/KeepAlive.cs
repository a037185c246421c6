using System.Buffers.Text;
using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Cairn.Bench.Gateway;

/// <summary>One connection of a thread of its own that sends whole requests and reads whole answers; the kernel wakes its thread, so it adds as little as a client can.</summary>
internal sealed class KeepAlive : IDisposable
{
    private readonly Socket _socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly byte[] _buffer = new byte[8 << 10];

    public KeepAlive(Uri to) => _socket.Connect(to.Host, to.Port);

    /// <summary>Sends a request and reads its answer, which has a length and is a 200.</summary>
    public void Ask(byte[] request)
    {
        _socket.Send(request);
        var (length, whole) = (0, int.MaxValue);
        while (length < whole)
        {
            length += Receive(length);
            if (whole == int.MaxValue)
                whole = WholeLength(_buffer.AsSpan(0, length));
        }
    }

    /// <summary>Sends a request and reads events until the stream ends or the time has come; every event says when it was sent.</summary>
    public void Stream(byte[] request, StreamTimes times, long until)
    {
        var sent = Stopwatch.GetTimestamp();
        _socket.Send(request);
        for (var kept = 0; Stopwatch.GetTimestamp() < until;)
        {
            var bytes = _buffer.AsSpan(0, kept + Receive(kept));
            if (times.First is null && bytes.IndexOf(StreamTimes.Mark) >= 0)
                times.First = Stopwatch.GetElapsedTime(sent).TotalMilliseconds;
            var rest = times.Count(bytes, Stopwatch.GetTimestamp());
            if (rest.EndsWith("0\r\n\r\n"u8))
                return;
            kept = Math.Min(rest.Length, 128);
            rest[^kept..].CopyTo(_buffer);
        }
    }

    public void Dispose() => _socket.Dispose();

    private int Receive(int at)
    {
        var read = _socket.Receive(_buffer.AsSpan(at));
        return read > 0 ? read : throw new InvalidOperationException("The connection was closed within an answer: " + Encoding.ASCII.GetString(_buffer.AsSpan(0, at)));
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

/// <summary>When the events of one stream came.</summary>
internal sealed class StreamTimes
{
    /// <summary>What stands before the time at which the mock sent an event.</summary>
    public static ReadOnlySpan<byte> Mark => "\"sent\":"u8;

    /// <summary>From sending the request to the first event, milliseconds; null before it came.</summary>
    public double? First { get; set; }

    /// <summary>From the mock's sending to the client, milliseconds, of every event.</summary>
    public List<double> Each { get; } = new(200);

    /// <returns>What may be the beginning of another event.</returns>
    public Span<byte> Count(Span<byte> bytes, long now)
    {
        for (var at = bytes.IndexOf(Mark); at >= 0; at = bytes.IndexOf(Mark))
        {
            if (!Utf8Parser.TryParse(bytes[(at + Mark.Length)..], out long sent, out var digits) || at + Mark.Length + digits == bytes.Length)
                return bytes[at..];
            Each.Add((now - sent) * 1000.0 / Stopwatch.Frequency);
            bytes = bytes[(at + Mark.Length + digits)..];
        }
        return bytes;
    }
}
