using System.Security.Cryptography;
using Cairn.Contracts.Wire;
using Cairn.Node.Durable;
using Cairn.Node.Native;

namespace Cairn.Node.Files;

/// <summary>Something that a task left: its manifest, and where each blob's bytes lie.</summary>
internal sealed record Collected(FileManifest Manifest, IReadOnlyDictionary<string, string> PathByHash, IReadOnlyList<string> Skipped);

/// <summary>
/// Lists and hashes what a task left. The task's code may have put links anywhere, and the daemon may be root: no link is ever
/// followed. One that stays inside is listed as a link; any other is skipped and named.
/// </summary>
internal static class Collect
{
    /// <summary>
    /// Lists a file or a folder under <paramref name="root"/>; null where nothing is there or a part of the path is a link.
    /// </summary>
    public static async Task<Collected?> PathAsync(string root, string relative, CancellationToken cancellationToken)
    {
        relative = relative.TrimEnd('/');
        if (relative.StartsWith("./", StringComparison.Ordinal))
            relative = relative[2..];
        if (relative is "." or "")
            return await FolderAsync(root, cancellationToken);
        if (!ManifestRules.IsInside(relative))
            return null;
        var at = root;
        foreach (var name in relative.Split('/').SkipLast(1))
        {
            at = Path.Combine(at, name);
            if (!FileTree.IsRealFolder(at))
                return null;
        }
        at = Path.Combine(root, relative);
        if (FileTree.IsRealFolder(at))
            return await FolderAsync(at, cancellationToken);
        return IsRealFile(at) ? await ListAsync([(Path.GetFileName(at), new FileInfo(at))], cancellationToken) : null;
    }

    /// <summary>Lists a whole folder; null where it is not there or is a link.</summary>
    public static async Task<Collected?> FolderAsync(string folder, CancellationToken cancellationToken) =>
        FileTree.IsRealFolder(folder)
            ? await ListAsync(FileTree.Walk(folder).Select(entry => (Path.GetRelativePath(folder, entry.FullName), entry)), cancellationToken)
            : null;

    private static async Task<Collected> ListAsync(IEnumerable<(string Path, FileSystemInfo Entry)> entries, CancellationToken cancellationToken)
    {
        var manifest = new FileManifest();
        var paths = new Dictionary<string, string>(StringComparer.Ordinal);
        var skipped = new List<string>();
        foreach (var (path, entry) in entries)
        {
            if (entry.LinkTarget is { } target)
            {
                if (ManifestRules.IsInside(path) && ManifestRules.IsInsideLink(path, target))
                    manifest.Files.Add(new FileEntry { Path = path, LinkTarget = target });
                else
                    skipped.Add(path);
            }
            else if (entry is FileInfo file)
            {
                // A FIFO, a socket or a device is no data, and reading one may never end.
                if (!IsRealFile(file.FullName) || !ManifestRules.IsInside(path))
                    skipped.Add(path);
                else
                    manifest.Files.Add(await HashAsync(path, file, paths, cancellationToken));
            }
        }
        manifest.RootHash = ManifestHash.Of(manifest.Files);
        return new Collected(manifest, paths, skipped);
    }

    private static async Task<FileEntry> HashAsync(string path, FileInfo file, Dictionary<string, string> paths, CancellationToken cancellationToken)
    {
        await using var stream = new FileStream(file.FullName, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1 << 16);
        var hash = Convert.ToHexStringLower(await SHA256.HashDataAsync(stream, cancellationToken));
        paths[hash] = file.FullName;
        return new FileEntry { Path = path, Hash = hash, SizeBytes = stream.Position, Mode = (uint)file.UnixFileMode & 0x1ff };
    }

    private static bool IsRealFile(string path) => EntryFacts.Read(path) is { IsRegularFile: true };
}
