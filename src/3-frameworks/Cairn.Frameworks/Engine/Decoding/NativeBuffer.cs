using System.Runtime.InteropServices;

namespace Cairn.Frameworks.Engine.Decoding;

/// <summary>Memory outside the collected heap. Its pages take no space until they are written, so a large one may be made for what may come.</summary>
internal sealed unsafe partial class NativeBuffer : IDisposable
{
    private const int DontNeed = 4;

    private byte* _start;

    /// <exception cref="OutOfMemoryException">There is no address space left.</exception>
    public NativeBuffer(long bytes)
    {
        Bytes = Math.Max(bytes, 1);
        _start = (byte*)NativeMemory.AlignedAlloc((nuint)Bytes, 4096);
    }

    ~NativeBuffer() => Free();

    public long Bytes { get; }

    public byte* Start => _start != null ? _start : throw new ObjectDisposedException(nameof(NativeBuffer));

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
        if (OperatingSystem.IsLinux() && to > from)
            _ = Madvise(from, to - from, DontNeed);
    }

    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        NativeMemory.AlignedFree(_start);
        _start = null;
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Madvise(nint address, nint length, int advice);
}
