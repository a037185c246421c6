using System.Buffers;
using Cairn.Contracts.Wire;
using Cairn.Node.Native;
using Google.Protobuf;

namespace Cairn.Node.Logs;

/// <summary>What a task's log needs to know of its task.</summary>
internal sealed record TaskLogSource(string TaskId, long Epoch, string Folder, string OutPath, string ErrorPath, long LimitBytes);

/// <summary>
/// The loop that moves a task's output: raw files → records in the store → chunks on the wire. Only <see cref="RunAsync"/> touches the
/// store; acknowledgements and connections come in as numbers and a signal.
/// </summary>
internal sealed class TaskLog(TaskLogSource source, TimeProvider clock, Func<NodeMessage, bool> send) : IDisposable
{
    private const int ChunkBytes = 128 * 1024;

    /// <summary>
    /// Bytes on the wire without an acknowledgement. What was sent is not dropped, so the window is well within the log's bound.
    /// </summary>
    private readonly long _window = Math.Min(2 << 20, source.LimitBytes / 4);

    /// <summary>An unfinished line, such as a prompt or a progress bar, is shown after this.</summary>
    private static readonly TimeSpan s_pieceDelay = TimeSpan.FromMilliseconds(500);

    /// <summary>Without an acknowledgement for so long, what was sent is sent again.</summary>
    private static readonly TimeSpan s_silence = TimeSpan.FromSeconds(5);

    private readonly RawTail _out = new(source.OutPath, LogStream.Out);
    private readonly RawTail _error = new(source.ErrorPath, LogStream.Error);
    private readonly ArrayBufferWriter<byte> _records = new(64 * 1024);
    private readonly byte[] _chunk = new byte[ChunkBytes];
    private readonly Pulse _pulse = new();
    private readonly TaskCompletionSource<long> _complete = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _delivered = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private LogStore _store = null!;
    private long _acknowledged;
    private long _sent;
    private int _connections;
    private volatile bool _ended;
    private volatile bool _missing;
    private long _wentBackTo = -1;
    private long _progressAt;
    private long _lastAcknowledged;

    /// <summary>The length of the log once all output was read.</summary>
    public Task<long> Complete => _complete.Task;

    /// <summary>The server has the complete log.</summary>
    public Task Delivered => _delivered.Task;

    public long Length { get; private set; }

    /// <summary>The raw files changed.</summary>
    public void Poke() => _pulse.Set();

    /// <summary>A new connection stands: what was not acknowledged is sent again.</summary>
    public void Reconnected()
    {
        Interlocked.Increment(ref _connections);
        _pulse.Set();
    }

    /// <summary>
    /// The server keeps everything before the offset, and its next chunk must begin there. An offset that does not move says that a chunk
    /// is
    /// missing; then sending goes back to it.
    /// </summary>
    public void Acknowledge(long offset)
    {
        if (offset <= Interlocked.Read(ref _acknowledged))
            _missing = true;
        InterlockedMax(ref _acknowledged, offset);
        _pulse.Set();
    }

    /// <summary>Nothing writes to the raw files any more.</summary>
    public void End()
    {
        _ended = true;
        _pulse.Set();
    }

    /// <summary>Runs until the log is complete and delivered, or until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var store = _store = LogStore.Open(source.Folder, source.LimitBytes);
        (_out.Position, _error.Position) = (store.Raw.Out, store.Raw.Error);
        (_acknowledged, _sent, Length) = (store.Start, store.Start, store.Length);
        var (connections, pieceSince) = (0, 0L);
        while (true)
        {
            // 1. Whether the task has ended is asked before reading: what is read after it is the end.
            var ended = _ended;
            var flush = ended || (pieceSince != 0 && clock.GetElapsedTime(pieceSince) >= s_pieceDelay);
            var moved = ReadOutputs(flush);
            var pending = _out.HasPiece || _error.HasPiece;
            pieceSince = !pending || moved ? (pending ? clock.GetTimestamp() : 0) : pieceSince == 0 ? clock.GetTimestamp() : pieceSince;
            if (ended && !moved)
                _complete.TrySetResult(store.Length);

            // 2. Deliver.
            var seen = Volatile.Read(ref _connections);
            Deliver(restart: seen != connections);
            connections = seen;
            if (_complete.Task.IsCompleted && Interlocked.Read(ref _acknowledged) >= store.Length)
            {
                _delivered.TrySetResult();
                return;
            }
            if (!moved)
                await _pulse.WaitAsync(pieceSince != 0 ? s_pieceDelay : IdleDelay, clock, cancellationToken);
            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    /// <summary>How often the raw files are looked at without a signal.</summary>
    public TimeSpan IdleDelay { get; init; } = TimeSpan.FromSeconds(2);

    public void Dispose()
    {
        _out.Dispose();
        _error.Dispose();
    }

    private bool ReadOutputs(bool flush)
    {
        _records.ResetWrittenCount();
        var now = clock.GetUtcNow().ToUnixTimeMilliseconds() * 1000 + clock.GetUtcNow().Microsecond;
        var moved = _out.Read(_records, now, flush);
        moved |= _error.Read(_records, now, flush);
        if (!moved)
            return false;
        _store.Append(_records.WrittenMemory, new RawPosition(_out.Position, _error.Position));
        _out.FreeRead();
        _error.FreeRead();
        Length = _store.Length;
        return true;
    }

    private void Deliver(bool restart)
    {
        var acknowledged = Math.Min(Interlocked.Read(ref _acknowledged), _store.Length);
        _store.Release(acknowledged);
        _sent = restart || IsStuck(acknowledged) ? acknowledged : Math.Max(_sent, acknowledged);
        while (_sent < _store.Length && _sent - acknowledged < _window)
        {
            var length = _store.Read(_sent, _chunk);
            if (length == 0 || !send(Chunk(_chunk.AsSpan(0, length))))
                return;
            _sent += length;
            _store.MarkSent(_sent);
        }
    }

    /// <summary>
    /// Whether to go back to what the server has: once for each offset at which it says that a chunk is missing, and every few seconds
    /// where it
    /// says nothing, because it drops what comes for a task that it does not know yet.
    /// </summary>
    private bool IsStuck(long acknowledged)
    {
        var now = clock.GetTimestamp();
        if (acknowledged > _lastAcknowledged || _sent <= acknowledged)
            (_lastAcknowledged, _progressAt, _missing) = (acknowledged, now, false);
        var isMissing = _missing && _wentBackTo != acknowledged && _sent > acknowledged;
        if (!isMissing && clock.GetElapsedTime(_progressAt, now) < s_silence)
            return false;
        (_wentBackTo, _progressAt, _missing) = (acknowledged, now, false);
        return true;
    }

    private NodeMessage Chunk(ReadOnlySpan<byte> records) => new()
    {
        Log = new LogChunk { TaskId = source.TaskId, Epoch = source.Epoch, Offset = _sent, Data = ByteString.CopyFrom(records) },
    };

    private static void InterlockedMax(ref long target, long value)
    {
        var seen = Interlocked.Read(ref target);
        while (value > seen)
        {
            var found = Interlocked.CompareExchange(ref target, value, seen);
            if (found == seen)
                return;
            seen = found;
        }
    }
}
