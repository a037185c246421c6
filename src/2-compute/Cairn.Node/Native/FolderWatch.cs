using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Text;

namespace Cairn.Node.Native;

/// <summary>
/// Tells when files in folders change: one inotify descriptor and one thread for the whole daemon, because the kernel grants a user only
/// 128 descriptors and a daemon may hold thousands of tasks. Where the kernel refuses, <see cref="IsWorking"/> is false and callers poll.
/// </summary>
internal sealed class FolderWatch : IDisposable
{
    // IN_MODIFY | IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE
    private const uint Mask = 0x2 | 0x8 | 0x80 | 0x100;
    private const short PollIn = 1;

    private readonly int _inotify;
    private readonly int _wake;
    private readonly Thread? _thread;
    private readonly ConcurrentDictionary<int, Action<string>> _changed = new();
    private volatile bool _disposed;

    public FolderWatch()
    {
        _inotify = Posix.InotifyInit(Posix.OpenNonBlocking | Posix.OpenCloseOnExec);
        _wake = Posix.EventDescriptor(0, Posix.OpenCloseOnExec);
        if (!IsWorking)
            return;
        _thread = new Thread(Read) { IsBackground = true, Name = "cairn folder watch" };
        _thread.Start();
    }

    public bool IsWorking => _inotify >= 0 && _wake >= 0;

    /// <summary>
    /// Calls <paramref name="changed"/> with the file's name on the watch's thread; it must not block. False where the kernel refuses.
    /// </summary>
    public bool TryAdd(string folder, Action<string> changed, out int watch)
    {
        watch = IsWorking ? Posix.InotifyAddWatch(_inotify, folder, Mask) : -1;
        if (watch < 0)
            return false;
        _changed[watch] = changed;
        return true;
    }

    public void Remove(int watch)
    {
        if (_changed.TryRemove(watch, out _) && !_disposed)
            _ = Posix.InotifyRemoveWatch(_inotify, watch);
    }

    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        if (_thread is not null)
        {
            Span<byte> one = stackalloc byte[8];
            one[0] = 1;
            _ = Posix.Write(_wake, one, one.Length);
            _thread.Join();
        }
        _ = Posix.Close(_inotify);
        _ = Posix.Close(_wake);
    }

    private void Read()
    {
        Span<Posix.PollEntry> entries =
        [
            new Posix.PollEntry { Descriptor = _inotify, Events = PollIn },
            new Posix.PollEntry { Descriptor = _wake, Events = PollIn },
        ];
        Span<byte> buffer = new byte[64 * 1024];
        while (!_disposed)
        {
            _ = Posix.Poll(entries, (nuint)entries.Length, -1);
            var length = _disposed ? 0 : (int)Posix.Read(_inotify, buffer, buffer.Length);
            if (length > 0)
                Dispatch(buffer[..length]);
        }
    }

    /// <summary>struct inotify_event: int watch, uint mask, uint cookie, uint length, then the name, padded with zeros.</summary>
    private void Dispatch(ReadOnlySpan<byte> events)
    {
        while (events.Length >= 16)
        {
            var watch = BinaryPrimitives.ReadInt32LittleEndian(events);
            var length = BinaryPrimitives.ReadInt32LittleEndian(events[12..]);
            var name = Encoding.UTF8.GetString(events.Slice(16, length)).TrimEnd('\0');
            events = events[(16 + length)..];
            if (watch >= 0)
                Tell(watch, name);
            else
                TellAll();
        }
    }

    private void Tell(int watch, string name)
    {
        if (_changed.TryGetValue(watch, out var changed))
            changed(name);
    }

    /// <summary>The kernel's queue overflowed: anything may have changed.</summary>
    private void TellAll()
    {
        foreach (var changed in _changed.Values)
            changed("");
    }
}
