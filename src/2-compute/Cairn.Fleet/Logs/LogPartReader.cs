using System.Buffers;
using Cairn.Contracts.Wire;
using Microsoft.Win32.SafeHandles;

namespace Cairn.Fleet.Logs;

/// <summary>Reads the records of one log from an offset up to a bound.</summary>
internal sealed class LogPartReader(SafeFileHandle handle, LogPart part, long from, long to) : IDisposable
{
    private const int BufferBytes = 2 * (LogRecord.MaxTextBytes + LogRecord.MaxHeadBytes + 1);
    private readonly byte[] _buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
    private int _start;
    private int _end;

    public LogPart Part => part;

    /// <summary>Good until the next move.</summary>
    public LogRecord Current { get; private set; }

    /// <summary>Where the record after <see cref="Current"/> begins.</summary>
    public long Next { get; private set; } = from;

    public async ValueTask<bool> MoveNextAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            if (LogRecord.TryRead(_buffer.AsMemory(_start, _end - _start), out var record, out var length))
            {
                Take(record, length);
                return true;
            }
            if (SkipWhatIsNoRecord())
                continue;
            if (!await FillAsync(cancellationToken))
                return false;
        }
    }

    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(_buffer);
        handle.Dispose();
    }

    private void Take(LogRecord record, int length)
    {
        Current = record;
        _start += length;
        Next += length;
    }

    /// <summary>A node may send anything. A line that is no record, or one longer than any record, is passed over.</summary>
    private bool SkipWhatIsNoRecord()
    {
        var line = _buffer.AsSpan(_start, _end - _start).IndexOf((byte)'\n');
        var skipped = line >= 0 ? line + 1 : _end - _start >= BufferBytes ? _end - _start : 0;
        _start += skipped;
        Next += skipped;
        return skipped > 0;
    }

    private async ValueTask<bool> FillAsync(CancellationToken cancellationToken)
    {
        _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
        (_start, _end) = (0, _end - _start);
        var at = Next + _end;
        var room = (int)Math.Min(BufferBytes - _end, to - at);
        if (room <= 0)
            return false;
        var read = await RandomAccess.ReadAsync(handle, _buffer.AsMemory(_end, room), at, cancellationToken);
        _end += read;
        return read > 0;
    }
}
