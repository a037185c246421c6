using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Cairn.Contracts.Wire;
using Cairn.Node.Durable;

namespace Cairn.Node.Logs;

/// <summary>
/// The part of a task's log that the server has not taken yet, in bounded segment files. What the server acknowledged is deleted. When
/// the bound is reached the oldest segment that was never sent gives way to one record that says how much is missing; offsets are
/// sums of lengths, so what the server receives has no gap. Not thread-safe: one task's log loop owns it.
/// </summary>
internal sealed class LogStore : IDisposable
{
    private readonly string _folder;
    private readonly long _limit;
    private readonly long _segmentBytes;
    private readonly List<LogSegment> _segments = [];
    private LogBase _base;

    private LogStore(string folder, long limit, LogBase start)
    {
        (_folder, _limit, _base) = (folder, limit, start);
        _segmentBytes = Math.Clamp(limit / 16, 4 * 1024, 8 << 20);
    }

    /// <summary>Offset of the first byte that is still here.</summary>
    public long Start => _base.Offset;

    /// <summary>Length of the whole log, with what was acknowledged and deleted.</summary>
    public long Length => _segments.Count == 0 ? _base.Offset : _segments[^1].End;

    /// <summary>How much of the raw outputs is in the log.</summary>
    public RawPosition Raw => _segments.Count == 0 ? new RawPosition(_base.RawOut, _base.RawError) : _segments[^1].RawEnd;

    public long BytesOnDisk => Length - Start;

    public static LogStore Open(string folder, long limit)
    {
        Directory.CreateDirectory(folder);
        var store = new LogStore(folder, limit, ReadBase(Path.Combine(folder, "base")));
        var indexes = Directory.EnumerateFiles(folder, "*.log")
            .Select(file => long.Parse(Path.GetFileNameWithoutExtension(file), CultureInfo.InvariantCulture)).Order();
        foreach (var index in indexes)
        {
            var segment = new LogSegment(folder, index);
            if (index < store._base.FirstIndex)
            {
                segment.Delete();
                continue;
            }
            segment.Recover(store.Length, store.Raw);
            store._segments.Add(segment);
        }
        return store;
    }

    /// <summary>Appends whole records that stand for the raw outputs up to <paramref name="raw"/>.</summary>
    public void Append(ReadOnlyMemory<byte> records, RawPosition raw)
    {
        while (!records.IsEmpty)
        {
            if (_segments.Count == 0 || _segments[^1].Length >= _segmentBytes)
                AddSegment();
            var last = _segments[^1];
            var part = records[..Fitting(records.Span, (int)(_segmentBytes - last.Length))];
            records = records[part.Length..];
            last.Append(part.Span);
            last.RawEnd = records.IsEmpty ? raw : LogSegment.Walk(part, last.RawEnd).RawEnd;
        }
        while (BytesOnDisk > _limit && DropOldestUnsent())
        {
        }
    }

    /// <summary>The whole records that fit into a room; at least one.</summary>
    private static int Fitting(ReadOnlySpan<byte> records, int room)
    {
        if (records.Length <= room)
            return records.Length;
        var cut = records[..room].LastIndexOf((byte)'\n') + 1;
        return cut > 0 ? cut : records.IndexOf((byte)'\n') + 1;
    }

    /// <summary>Reads whole records from <paramref name="offset"/>; 0 where there are none.</summary>
    public int Read(long offset, Span<byte> target)
    {
        foreach (var segment in _segments)
        {
            if (offset < segment.Start || offset >= segment.End)
                continue;
            var length = segment.Read(offset, target[..(int)Math.Min(target.Length, segment.End - offset)]);
            return target[..length].LastIndexOf((byte)'\n') + 1;
        }
        return 0;
    }

    /// <summary>
    /// Notes that bytes up to <paramref name="offset"/> were put on the wire: the server may have them, so they are not dropped any more.
    /// </summary>
    public void MarkSent(long offset)
    {
        var last = _segments.FindLast(s => s.Start < offset)?.Index ?? -1;
        if (last <= _base.SentIndex)
            return;
        _base = _base with { SentIndex = last };
        WriteBase();
    }

    /// <summary>The server has everything before <paramref name="offset"/>.</summary>
    public void Release(long offset)
    {
        var count = 0;
        while (count < _segments.Count - 1 && _segments[count].End <= offset)
            count++;
        if (count == 0)
            return;
        var last = _segments[count - 1];
        // 1. The base first: a crash before the files are gone leaves files that Open deletes.
        _base = _base with { FirstIndex = _segments[count].Index, Offset = last.End, RawOut = last.RawEnd.Out, RawError = last.RawEnd.Error };
        WriteBase();
        // 2. Then the files.
        foreach (var segment in _segments.Take(count))
            segment.Delete();
        _segments.RemoveRange(0, count);
    }

    public void Dispose() => _segments.ForEach(s => s.Dispose());

    private void AddSegment()
    {
        var index = _segments.Count == 0 ? Math.Max(_base.FirstIndex, _base.SentIndex + 1) : _segments[^1].Index + 1;
        _segments.Add(new LogSegment(_folder, index) { Start = Length, RawEnd = Raw });
    }

    /// <summary>
    /// Merges the oldest two never sent segments into one that holds a single record. The newest is written to and stays. False where
    /// none can go.
    /// </summary>
    private bool DropOldestUnsent()
    {
        var at = _segments.FindIndex(s => s.Index > _base.SentIndex);
        // 1. Find the first segment whose loss saves room: after a mark, that is the one behind it.
        if (at < 0 || at >= _segments.Count - 1)
            return false;
        var isMark = _segments[at].Length < LogMarkBytes;
        var last = isMark ? at + 1 : at;
        if (last >= _segments.Count - 1)
            return false;
        // 2. One mark stands for both.
        var before = at == 0 ? new RawPosition(_base.RawOut, _base.RawError) : _segments[at - 1].RawEnd;
        var after = _segments[last].RawEnd;
        var buffer = new System.Buffers.ArrayBufferWriter<byte>(LogMarkBytes);
        LogRecord.Write(buffer, FirstTime(_segments[at]), LogStream.System, false, LogMarks.Dropped(after - before));
        var start = _segments[at].Start;
        _segments[at].Dispose();
        AtomicFile.Write(_segments[at].Path, buffer.WrittenSpan);
        var mark = new LogSegment(_folder, _segments[at].Index);
        mark.Recover(start, before);
        _segments[at] = mark;
        if (isMark)
        {
            _segments[last].Delete();
            _segments.RemoveAt(last);
        }
        // 3. What comes after moves forward.
        for (var i = at + 1; i < _segments.Count; i++)
            _segments[i].Start = _segments[i - 1].End;
        return true;
    }

    private const int LogMarkBytes = 256;

    private static long FirstTime(LogSegment segment)
    {
        var head = new byte[LogRecord.MaxHeadBytes + LogRecord.MaxTextBytes + 1];
        var length = segment.Read(segment.Start, head);
        return LogRecord.TryRead(head.AsMemory(0, length), out var record, out _) ? record.UnixMicros : 0;
    }

    private static LogBase ReadBase(string path) =>
        File.Exists(path) ? JsonSerializer.Deserialize(File.ReadAllBytes(path), LogBaseJson.Default.LogBase) : new LogBase(0, 0, 0, 0, -1);

    private void WriteBase() =>
        AtomicFile.Write(Path.Combine(_folder, "base"), JsonSerializer.SerializeToUtf8Bytes(_base, LogBaseJson.Default.LogBase));
}

/// <summary>
/// Where the log's files begin: the index and offset of the first, the raw position before it, and the last segment of which anything was
/// sent.
/// </summary>
internal readonly record struct LogBase(long FirstIndex, long Offset, long RawOut, long RawError, long SentIndex);

[JsonSerializable(typeof(LogBase))]
internal sealed partial class LogBaseJson : JsonSerializerContext;
