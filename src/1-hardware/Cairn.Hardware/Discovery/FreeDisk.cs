namespace Cairn.Hardware.Discovery;

internal static class FreeDisk
{
    /// <summary>Bytes free to this user on the file system that holds the path; 0 where it cannot be told.</summary>
    public static long BytesAt(string path)
    {
        var folder = new DirectoryInfo(Path.GetFullPath(path));
        while (!folder.Exists && folder.Parent is not null)
            folder = folder.Parent;
        try
        {
            return new DriveInfo(folder.FullName).AvailableFreeSpace;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return 0;
        }
    }
}
