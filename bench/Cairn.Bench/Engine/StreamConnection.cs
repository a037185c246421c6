using System.Buffers.Text;
using System.Diagnostics;
using System.Net.Sockets;
using System.Text;

namespace Cairn.Bench.Engine;

/// <summary>
/// One kept-alive connection that reads completions as they stream. It shares the machine with what it measures, so a thread of its own waits in
/// the kernel, looks for a few marks in the bytes and parses nothing else.
/// </summary>
internal sealed class StreamConnection : IDisposable
{
    private readonly Socket _socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private byte[] _buffer = new byte[1 << 18];

    public static StreamConnection Open(Uri address)
    {
        var connection = new StreamConnection();
        connection._socket.Connect(address.Host, address.Port);
        return connection;
    }

    public static StreamConnection[] Open(Uri address, int count) => [.. Enumerable.Range(0, count).Select(_ => Open(address))];

    /// <summary>Sends the request and reads its answer to the end.</summary>
    /// <param name="request">See <see cref="CompletionRequest"/>.</param>
    /// <param name="cancellationToken">Leaves in the middle; the connection is of no use then.</param>
    public Task<StreamedAnswer> AskAsync(byte[] request, CancellationToken cancellationToken = default) => AskAsync(request, [], cancellationToken);

    /// <summary>As above, and adds to <paramref name="heard"/> when each text came, while they come.</summary>
    public async Task<StreamedAnswer> AskAsync(byte[] request, List<long> heard, CancellationToken cancellationToken)
    {
        await using var left = cancellationToken.UnsafeRegister(static socket => ((Socket)socket!).Shutdown(SocketShutdown.Both), _socket);
        return await Task.Factory.StartNew(() => Ask(request, heard), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    public void Dispose() => _socket.Dispose();

    private StreamedAnswer Ask(byte[] request, List<long> heard)
    {
        var (length, seen) = (0, 0);
        var sent = Stopwatch.GetTimestamp();
        _socket.Send(request);
        while (!IsWhole(_buffer.AsSpan(0, length)))
        {
            if (length == _buffer.Length)
                Array.Resize(ref _buffer, 2 * length);
            var read = _socket.Receive(_buffer.AsSpan(length));
            if (read == 0)
                throw new InvalidOperationException($"the connection was closed: {Encoding.UTF8.GetString(_buffer, 0, Math.Min(length, 1_000))}");
            length += read;
            var now = Stopwatch.GetTimestamp();
            for (var texts = Texts(_buffer.AsSpan(0, length), ref seen); texts > 0; texts--)
                lock (heard)
                    heard.Add(now);
            if (length > 16 && !_buffer.AsSpan(8, 5).SequenceEqual(" 200 "u8))
                throw new InvalidOperationException(Encoding.UTF8.GetString(_buffer, 0, length));
        }

        return new StreamedAnswer(sent, Stopwatch.GetTimestamp(), heard, OutputTokens(_buffer.AsSpan(0, length)));
    }

    // Chunked: the last chunk is empty.
    private static bool IsWhole(ReadOnlySpan<byte> bytes) => bytes.EndsWith("0\r\n\r\n"u8) && bytes.LastIndexOf("data: [DONE]"u8) >= 0;

    private static int Texts(ReadOnlySpan<byte> bytes, ref int seen)
    {
        var mark = "\"finish_reason\":null"u8;
        var count = 0;
        while (bytes[seen..].IndexOf(mark) is >= 0 and var at)
            (seen, count) = (seen + at + mark.Length, count + 1);
        seen = Math.Max(seen, bytes.Length - mark.Length + 1);
        return count;
    }

    private static int OutputTokens(ReadOnlySpan<byte> bytes)
    {
        var mark = "\"completion_tokens\":"u8;
        var at = bytes.LastIndexOf(mark);
        return at >= 0 && Utf8Parser.TryParse(bytes[(at + mark.Length)..], out int tokens, out _)
            ? tokens
            : throw new InvalidOperationException($"the answer tells no usage: {Encoding.UTF8.GetString(bytes[Math.Max(0, bytes.Length - 1_000)..])}");
    }
}

/// <summary>Times are the stopwatch's ticks.</summary>
/// <param name="Sent">Before the request.</param>
/// <param name="Ended">After the last byte.</param>
/// <param name="Heard">When each text came; a token whose text is empty or half a character has none.</param>
/// <param name="Tokens">Of output, by the answer's own usage.</param>
internal sealed record StreamedAnswer(long Sent, long Ended, IReadOnlyList<long> Heard, int Tokens)
{
    public double FirstTokenSeconds => Stopwatch.GetElapsedTime(Sent, Heard[0]).TotalSeconds;
}
