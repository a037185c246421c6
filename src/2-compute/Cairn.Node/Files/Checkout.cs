using Cairn.Contracts.Wire;

namespace Cairn.Node.Files;

/// <summary>Writes the files of a manifest into a folder that is empty or a link-free tree of the daemon's own making.</summary>
internal sealed class Checkout(BlobCache cache)
{
    private const int Parallel = 8;

    /// <exception cref="BlobException">The manifest breaks a rule, or a blob cannot be had. Then nothing of the manifest may be
    /// used.</exception>
    public async Task WriteAsync(string taskId, FileManifest manifest, string folder, CancellationToken cancellationToken)
    {
        if (ManifestRules.Check(manifest) is { } problem)
            throw new BlobException(problem);
        Directory.CreateDirectory(folder);
        foreach (var parent in manifest.Files.Select(f => Path.GetDirectoryName(f.Path)!).Where(p => p.Length > 0).Distinct())
            Directory.CreateDirectory(Path.Combine(folder, parent));
        await System.Threading.Tasks.Parallel.ForEachAsync(
            manifest.Files.Where(f => f.LinkTarget.Length == 0),
            new ParallelOptions { MaxDegreeOfParallelism = Parallel, CancellationToken = cancellationToken },
            async (file, token) => await WriteFileAsync(taskId, file, Path.Combine(folder, file.Path), token));
        // Links last, so that no file is ever written through one.
        foreach (var link in manifest.Files.Where(f => f.LinkTarget.Length > 0))
            File.CreateSymbolicLink(Path.Combine(folder, link.Path), link.LinkTarget);
    }

    private async Task WriteFileAsync(string taskId, FileEntry file, string target, CancellationToken cancellationToken)
    {
        if (file.SizeBytes == 0)
            await File.WriteAllBytesAsync(target, [], cancellationToken);
        else
            await cache.CopyToAsync(taskId, file.Hash, file.SizeBytes, target, cancellationToken);
        // Only permission bits: set-user-id and its kin are not the workload's to give.
        File.SetUnixFileMode(target, ((UnixFileMode)file.Mode & (UnixFileMode)0x1ff) | UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }
}
