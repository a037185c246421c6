using System.Buffers;
using Cairn.Contracts.Wire;
using Cairn.Node.Native;
using Microsoft.Win32.SafeHandles;

namespace Cairn.Node.Logs;

/// <summary>
/// Follows one raw output file, which is written without the daemon, and turns it into records: a task never waits for the daemon and its
/// output survives the daemon's death. What was read is given back to the file system by
/// punching holes, so the file's length grows and its blocks do not.
/// </summary>
internal sealed class RawTail(string path, LogStream stream) : IDisposable
{
    private const int PunchBytes = 1 << 20;

    private readonly byte[] _buffer = new byte[256 * 1024];
    private SafeFileHandle? _handle;
    private long _punched;

    /// <summary>Bytes before it are in the log.</summary>
    public long Position { get; set; }

    /// <summary>True where the last read left bytes without a line end.</summary>
    public bool HasPiece { get; private set; }

    /// <summary>Reads what is there, at most one buffer, and writes it as records.</summary>
    /// <param name="flush">Also writes an unfinished line, as a piece.</param>
    /// <returns>True where anything was written.</returns>
    public bool Read(IBufferWriter<byte> records, long unixMicros, bool flush)
    {
        HasPiece = false;
        _handle ??= File.Exists(path) ? File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite) : null;
        if (_handle is null)
            return false;
        var length = RandomAccess.Read(_handle, _buffer, Position);
        var used = Split(_buffer.AsSpan(0, length), records, unixMicros, flush);
        HasPiece = used < length;
        Position += used;
        return used > 0;
    }

    /// <summary>Frees the blocks of what is safely in the log.</summary>
    public void FreeRead()
    {
        var upTo = Position / 4096 * 4096;
        if (_handle is null || upTo - _punched < PunchBytes)
            return;
        _ = Posix.Fallocate(_handle, Posix.FallocatePunchHole | Posix.FallocateKeepSize, _punched, upTo - _punched);
        _punched = upTo;
    }

    public void Dispose() => _handle?.Dispose();

    private int Split(ReadOnlySpan<byte> data, IBufferWriter<byte> records, long unixMicros, bool flush)
    {
        var used = 0;
        while (used < data.Length)
        {
            var rest = data[used..];
            var end = rest[..Math.Min(rest.Length, LogRecord.MaxTextBytes + 1)].IndexOf((byte)'\n');
            if (end >= 0)
            {
                LogRecord.Write(records, unixMicros, stream, isPartial: false, rest[..end]);
                used += end + 1;
            }
            else if (rest.Length > LogRecord.MaxTextBytes || flush)
            {
                var piece = rest[..Math.Min(rest.Length, LogRecord.MaxTextBytes)];
                LogRecord.Write(records, unixMicros, stream, isPartial: true, piece);
                used += piece.Length;
            }
            else
            {
                break;
            }
        }
        return used;
    }
}
