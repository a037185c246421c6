using System.Globalization;
using Cairn.Contracts.Wire;
using Microsoft.Win32.SafeHandles;

namespace Cairn.Node.Logs;

/// <summary>One file of a task's log: whole records.</summary>
internal sealed class LogSegment(string folder, long index) : IDisposable
{
    private SafeFileHandle? _handle;

    public long Index => index;

    public string Path { get; } = System.IO.Path.Combine(folder, index.ToString("D10", CultureInfo.InvariantCulture) + ".log");

    /// <summary>Offset of its first byte in the task's log.</summary>
    public long Start { get; set; }

    public long Length { get; private set; }

    public long End => Start + Length;

    /// <summary>The raw position after its last record.</summary>
    public RawPosition RawEnd { get; set; }

    public void Append(ReadOnlySpan<byte> records)
    {
        RandomAccess.Write(Handle(), records, Length);
        Length += records.Length;
    }

    public int Read(long offset, Span<byte> target) => RandomAccess.Read(Handle(), target, offset - Start);

    /// <summary>
    /// Reads an existing file: its length is that of its whole records (a write that was cut off is cut away), and its raw end follows from
    /// them and from <paramref name="before"/>.
    /// </summary>
    public void Recover(long start, RawPosition before)
    {
        Start = start;
        var data = File.ReadAllBytes(Path).AsMemory();
        (var length, RawEnd) = Walk(data, before);
        if (length < data.Length)
            RandomAccess.SetLength(Handle(), length);
        Length = length;
    }

    /// <summary>How far whole records go, and which raw position is behind them.</summary>
    public static (int Length, RawPosition RawEnd) Walk(ReadOnlyMemory<byte> data, RawPosition before)
    {
        var (length, position) = (0, before);
        while (LogRecord.TryRead(data[length..], out var record, out var consumed))
        {
            length += consumed;
            position = After(position, record);
        }
        return (length, position);
    }

    public void Delete()
    {
        Dispose();
        File.Delete(Path);
    }

    public void Dispose()
    {
        _handle?.Dispose();
        _handle = null;
    }

    private static RawPosition After(RawPosition position, LogRecord record)
    {
        var bytes = record.Text.Length + (record.IsPartial ? 0 : 1);
        return record.Stream switch
        {
            LogStream.Out => position with { Out = position.Out + bytes },
            LogStream.Error => position with { Error = position.Error + bytes },
            _ when LogMarks.TryReadDropped(record.Text.Span, out var dropped) => position + dropped,
            _ => position,
        };
    }

    private SafeFileHandle Handle() => _handle ??= File.OpenHandle(Path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite);
}
