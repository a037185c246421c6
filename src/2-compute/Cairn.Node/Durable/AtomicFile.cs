using System.Text;

namespace Cairn.Node.Durable;

/// <summary>Files that are there whole or not at all, whatever dies in between.</summary>
internal static class AtomicFile
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Writes beside the target and renames over it.</summary>
    /// <param name="durable">Also survives a loss of power: the bytes reach the disk before the rename.</param>
    public static void Write(string path, ReadOnlySpan<byte> data, bool durable = false, UnixFileMode mode = OwnerOnly)
    {
        var beside = path + ".new";
        File.Delete(beside);
        using (var file = new FileStream(beside, new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            UnixCreateMode = mode,
            BufferSize = 0,
        }))
        {
            file.Write(data);
            if (durable)
                file.Flush(flushToDisk: true);
        }
        File.Move(beside, path, overwrite: true);
    }

    public static void Write(string path, string text, bool durable = false, UnixFileMode mode = OwnerOnly) =>
        Write(path, Encoding.UTF8.GetBytes(text), durable, mode);
}
