using System.Buffers;
using System.Buffers.Text;

namespace Cairn.Contracts.Wire;

/// <summary>Which output a log record comes from.</summary>
public enum LogStream
{
    /// <summary>The task's standard output.</summary>
    Out,

    /// <summary>The task's standard error.</summary>
    Error,

    /// <summary>Cairn's own words about the task, such as lines that were dropped.</summary>
    System,
}

/// <summary>
/// One record of a task's log in its text form: <c>MICROS S TEXT\n</c>, where MICROS is Unix time in microseconds by the node's clock
/// (when the line was read) and S the stream: <c>O</c> out, <c>E</c> error, <c>S</c> system. A lower-case <c>o</c> or <c>e</c> marks a
/// piece
/// of a line without its line end: the next record of the same stream goes on with it. So the bytes of a stream are the texts of its
/// records in order, each upper-case one followed by a line feed. TEXT is the task's bytes, unchanged and of any encoding; it holds no
/// line feed.
/// </summary>
/// <param name="UnixMicros">When the node read it.</param>
/// <param name="Stream">Where it comes from.</param>
/// <param name="IsPartial">True where the line goes on in the stream's next record.</param>
/// <param name="Text">The bytes without the line end; at most <see cref="MaxTextBytes"/>.</param>
public readonly record struct LogRecord(long UnixMicros, LogStream Stream, bool IsPartial, ReadOnlyMemory<byte> Text)
{
    /// <summary>A longer line is split into pieces of this size.</summary>
    public const int MaxTextBytes = 16 * 1024;

    /// <summary>The longest head: 20 characters of time, the stream and two spaces.</summary>
    public const int MaxHeadBytes = 23;

    /// <summary>Appends the text form, line feed included.</summary>
    public static void Write(IBufferWriter<byte> target, long unixMicros, LogStream stream, bool isPartial, ReadOnlySpan<byte> text)
    {
        var span = target.GetSpan(MaxHeadBytes + text.Length + 1);
        Utf8Formatter.TryFormat(unixMicros, span, out var length);
        span[length++] = (byte)' ';
        span[length++] = Letter(stream, isPartial);
        span[length++] = (byte)' ';
        text.CopyTo(span[length..]);
        length += text.Length;
        span[length++] = (byte)'\n';
        target.Advance(length);
    }

    /// <summary>Reads the first record of <paramref name="data"/>.</summary>
    /// <param name="data">Text that starts at a record.</param>
    /// <param name="record">The record; its text points into <paramref name="data"/>.</param>
    /// <param name="consumed">Its length with the line feed.</param>
    /// <returns>False where no complete record is there, or where what is there is not one.</returns>
    public static bool TryRead(ReadOnlyMemory<byte> data, out LogRecord record, out int consumed)
    {
        (record, consumed) = (default, 0);
        var end = data.Span.IndexOf((byte)'\n');
        if (end < 0)
            return false;
        var line = data.Span[..end];
        if (!Utf8Parser.TryParse(line, out long micros, out var length) || line.Length < length + 3
            || line[length] != ' ' || line[length + 2] != ' ' || !TryStream(line[length + 1], out var stream, out var partial))
        {
            return false;
        }
        record = new LogRecord(micros, stream, partial, data[(length + 3)..end]);
        consumed = end + 1;
        return true;
    }

    private static byte Letter(LogStream stream, bool isPartial) => stream switch
    {
        LogStream.Out => isPartial ? (byte)'o' : (byte)'O',
        LogStream.Error => isPartial ? (byte)'e' : (byte)'E',
        LogStream.System => (byte)'S',
        _ => throw new ArgumentOutOfRangeException(nameof(stream), stream, "unknown log stream"),
    };

    private static bool TryStream(byte letter, out LogStream stream, out bool isPartial)
    {
        (stream, isPartial) = letter switch
        {
            (byte)'O' => (LogStream.Out, false),
            (byte)'o' => (LogStream.Out, true),
            (byte)'E' => (LogStream.Error, false),
            (byte)'e' => (LogStream.Error, true),
            _ => (LogStream.System, false),
        };
        return letter is (byte)'O' or (byte)'o' or (byte)'E' or (byte)'e' or (byte)'S';
    }
}
