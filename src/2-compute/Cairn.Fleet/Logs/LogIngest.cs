using System.Buffers;
using System.Text;
using Cairn.Contracts.Wire;
using Cairn.Fleet.Link;

namespace Cairn.Fleet.Logs;

/// <summary>
/// Appends what nodes send. The file's length decides: bytes before it came before and are dropped, bytes beyond it leave a gap and are
/// asked for again. So a log is byte for byte what the node wrote, however often the connection broke.
/// </summary>
internal sealed class LogIngest(LogFiles files, LogFollowers followers, TimeProvider time)
{
    /// <summary>
    /// Takes a chunk; answers the offset before which everything is kept, which is what the node's next chunk must begin at.
    /// </summary>
    public long Append(TaskLogKey key, long offset, ReadOnlyMemory<byte> data)
    {
        var (next, grew) = files.Write(key, file => AppendLocked(file, offset, data.Span));
        if (grew)
            followers.Wake(key);
        return next;
    }

    private (long Next, bool Grew) AppendLocked(LogFile file, long offset, ReadOnlySpan<byte> data)
    {
        var limit = files.Options.MaxTaskBytes;
        if (file.Length >= limit)
            return (Math.Max(file.Length, offset + data.Length), false);
        if (offset < 0 || offset > file.Length || offset + data.Length <= file.Length)
            return (file.Length, false);
        // Chunks are whole records and so is what is kept, so cutting off what came before cuts between records.
        var fresh = data[(int)(file.Length - offset)..];
        var end = offset + data.Length;
        if (file.Length + fresh.Length < limit)
        {
            file.Append(fresh);
            return (end, true);
        }
        Seal(file, fresh, limit);
        return (end, true);
    }

    /// <summary>
    /// Fills the log to its limit with whole records and a last line that says so; from then on everything is acknowledged and dropped.
    /// </summary>
    private void Seal(LogFile file, ReadOnlySpan<byte> fresh, long limit)
    {
        var room = fresh[..(int)Math.Min(fresh.Length, limit - file.Length)];
        file.Append(room[..(room.LastIndexOf((byte)'\n') + 1)]);
        var notice = new ArrayBufferWriter<byte>();
        var text = $"The log has reached its limit of {limit} bytes; what follows is not kept.";
        LogRecord.Write(notice, State.Micros.Of(time.GetUtcNow()), LogStream.System, false, Encoding.UTF8.GetBytes(text));
        // Padded to the limit, so that the length alone says that the log is full.
        var missing = limit - file.Length - notice.WrittenCount;
        if (missing > 0)
        {
            notice.Clear();
            LogRecord.Write(notice, State.Micros.Of(time.GetUtcNow()), LogStream.System, false,
                Encoding.UTF8.GetBytes(text.PadRight(text.Length + (int)missing)));
        }
        file.Append(notice.WrittenSpan);
    }
}
