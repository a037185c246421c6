using System.Runtime.InteropServices;

namespace Cairn.State;

/// <summary>Makes a rename durable: on Unix a file's new name is on the disk only when its folder was flushed.</summary>
internal static class DirectorySync
{
    private const int ReadOnly = 0;

    /// <summary>Flushes a folder and those it may be new in. A file system that cannot do it keeps its own promise about renames.</summary>
    public static void Flush(string folder)
    {
        if (OperatingSystem.IsWindows())
            return;
        for (var i = 0; i < 3 && folder.Length > 1; i++, folder = Path.GetDirectoryName(folder)!)
        {
            var descriptor = Open(folder, ReadOnly);
            if (descriptor < 0)
                continue;
            _ = Sync(descriptor);
            _ = Close(descriptor);
        }
    }

    [DllImport("libc", EntryPoint = "open", CharSet = CharSet.Ansi)]
    private static extern int Open([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags);

    [DllImport("libc", EntryPoint = "fsync")]
    private static extern int Sync(int descriptor);

    [DllImport("libc", EntryPoint = "close")]
    private static extern int Close(int descriptor);
}
