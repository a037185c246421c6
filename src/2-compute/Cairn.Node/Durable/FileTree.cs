using Cairn.Node.Native;

namespace Cairn.Node.Durable;

/// <summary>Whole folders, without ever following a symbolic link out of them.</summary>
internal static class FileTree
{
    private static readonly EnumerationOptions s_everything = new()
    {
        AttributesToSkip = 0,
        RecurseSubdirectories = false,
        IgnoreInaccessible = true,
    };

    /// <summary>Deletes a folder with all that is in it. What cannot be deleted stays.</summary>
    public static void Delete(string folder)
    {
        try
        {
            if (IsRealFolder(folder))
                Directory.Delete(folder, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            MakeDeletable(folder);
            try
            {
                Directory.Delete(folder, recursive: true);
            }
            catch (Exception again) when (again is IOException or UnauthorizedAccessException)
            {
            }
        }
    }

    /// <summary>Gives the folder and everything in it to a user.</summary>
    public static void ChangeOwner(string folder, uint user, uint group)
    {
        _ = Posix.ChangeOwner(folder, user, group);
        foreach (var entry in Walk(folder))
            _ = Posix.ChangeOwner(entry.FullName, user, group);
    }

    /// <summary>The bytes that the files take up on the disk: a sparse file counts what it holds.</summary>
    public static long Size(string folder) => Walk(folder).Sum(entry => EntryFacts.Read(entry.FullName)?.BytesOnDisk ?? 0);

    /// <summary>Everything under a folder, parents before children, links as themselves. Nothing where it is not a real folder.</summary>
    public static IEnumerable<FileSystemInfo> Walk(string folder)
    {
        if (!IsRealFolder(folder))
            yield break;
        var open = new Stack<string>([folder]);
        while (open.TryPop(out var next))
        {
            foreach (var entry in new DirectoryInfo(next).EnumerateFileSystemInfos("*", s_everything))
            {
                yield return entry;
                if (entry is DirectoryInfo { LinkTarget: null })
                    open.Push(entry.FullName);
            }
        }
    }

    public static bool IsRealFolder(string path) => new DirectoryInfo(path) is { Exists: true, LinkTarget: null };

    /// <summary>A task may have taken the write bit from its own folders.</summary>
    private static void MakeDeletable(string folder)
    {
        foreach (var entry in Walk(folder).OfType<DirectoryInfo>().Where(d => d.LinkTarget is null).Prepend(new DirectoryInfo(folder)))
        {
            try
            {
                entry.UnixFileMode |= UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
            }
        }
    }
}
