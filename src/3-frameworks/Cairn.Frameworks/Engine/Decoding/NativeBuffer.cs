using System.Runtime.InteropServices;

namespace Cairn.Frameworks.Engine.Decoding;

/// <summary>
/// Memory outside the collected heap and outside the C library's: its pages come from the machine when they are first written, and go back
/// to it when they are given back or the buffer is disposed. So a large one may be made for what may come.
/// </summary>
internal sealed unsafe partial class NativeBuffer : IDisposable
{
    private const int ReadWrite = 3;
    private const int Private = 2;
    private const int DontNeed = 4;
    // MAP_ANONYMOUS and MAP_NORESERVE: what may never be written is not counted against the machine's memory.
    private static readonly int s_anonymous = OperatingSystem.IsMacOS() ? 0x1000 | 0x40 : 0x20 | 0x4000;

    private nint _start;

    /// <exception cref="OutOfMemoryException">There is no address space left.</exception>
    public NativeBuffer(long bytes)
    {
        Bytes = Math.Max(bytes, 1);
        var start = Map(0, (nint)Bytes, ReadWrite, Private | s_anonymous, -1, 0);
        _start = start != -1 ? start : throw new OutOfMemoryException($"{Bytes} bytes of memory cannot be reserved");
    }

    ~NativeBuffer() => Free();

    public long Bytes { get; }

    public byte* Start => _start != 0 ? (byte*)_start : throw new ObjectDisposedException(nameof(NativeBuffer));

    public Span<T> Span<T>(int count) where T : unmanaged
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((long)count * sizeof(T), Bytes);
        return new Span<T>(Start, count);
    }

    /// <summary>Gives whole pages inside a range back to the machine; what was in them is lost.</summary>
    public void GiveBack(long offset, long bytes)
    {
        var page = Environment.SystemPageSize;
        var from = ((nint)(Start + offset) + page - 1) / page * page;
        var to = (nint)(Start + offset + bytes) / page * page;
        if (to > from)
            _ = Advise(from, to - from, DontNeed);
    }

    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        if (_start != 0)
            _ = Unmap(_start, (nint)Bytes);
        _start = 0;
    }

    [LibraryImport("libc", EntryPoint = "mmap")]
    private static partial nint Map(nint address, nint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int Unmap(nint address, nint length);

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(nint address, nint length, int advice);
}
