using System.Runtime.InteropServices;

namespace Cairn.Frameworks.Engine.Tensors;

/// <summary>Gives freed native memory back to the system: glibc keeps it in its arenas otherwise (malloc_trim(3), mallopt(3)).</summary>
internal static partial class HeapTrim
{
    /// <summary>M_MMAP_THRESHOLD of glibc's malloc.h.</summary>
    private const int MapThreshold = -3;

    private static bool _absent;

    /// <summary>
    /// Lets blocks of a mebibyte and more be mappings of their own, for the whole process. Otherwise glibc raises that bound to the largest
    /// block that was ever freed, up to 32 MiB, and then keeps weights that were freed at the end of an arena, where trimming does not look.
    /// </summary>
    public static void MapLargeBlocks()
    {
        if (_absent || !OperatingSystem.IsLinux())
            return;
        try
        {
            _ = MallocOption(MapThreshold, 1 << 20);
        }
        catch (EntryPointNotFoundException)
        {
            _absent = true;
        }
    }

    public static void Run()
    {
        if (_absent || !OperatingSystem.IsLinux())
            return;
        try
        {
            _ = MallocTrim(0);
        }
        catch (EntryPointNotFoundException)
        {
            // musl has no such call and returns memory by itself.
            _absent = true;
        }
    }

    [LibraryImport("libc", EntryPoint = "mallopt")]
    private static partial int MallocOption(int option, int value);

    [LibraryImport("libc", EntryPoint = "malloc_trim")]
    private static partial int MallocTrim(nuint pad);
}
