using System.Runtime.InteropServices;

namespace Cairn.Frameworks.Engine.Tensors;

/// <summary>Gives freed native memory back to the system: glibc keeps it in its arenas otherwise (malloc_trim(3)).</summary>
internal static partial class HeapTrim
{
    private static bool _absent;

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

    [LibraryImport("libc", EntryPoint = "malloc_trim")]
    private static partial int MallocTrim(nuint pad);
}
