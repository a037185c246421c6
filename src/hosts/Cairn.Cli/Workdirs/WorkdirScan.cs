using System.Security.Cryptography;
using Cairn.Cli.CommandLine;
using Cairn.Contracts.Api;
using MAB.DotIgnore;

namespace Cairn.Cli.Workdirs;

/// <summary>A folder as content-addressed files, without what its ignore files name.</summary>
internal static class WorkdirScan
{
    public const int MaxFiles = 100_000;

    // The first that is there counts, as in the tools that people come from.
    private static readonly string[] s_ignoreFiles = [".cairnignore", ".skyignore", ".gitignore"];

    /// <summary>Walks the folder in a stable order. Symbolic links inside the tree stay links; those that lead outside are refused.</summary>
    /// <param name="folder">The working directory.</param>
    /// <param name="only">The files that count, relative to it; null takes all that is not ignored.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public static async Task<WorkdirContent> ReadAsync(string folder, IReadOnlyList<string>? only, CancellationToken cancellationToken)
    {
        var root = Path.GetFullPath(folder);
        if (!Directory.Exists(root))
            throw new CliException(ExitCodes.Usage, $"workdir: there is no folder {root}.");
        var ignored = ReadIgnoreFile(root);
        var files = new List<ApiFile>();
        var paths = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var entry in only ?? Walk(root, "", ignored))
        {
            if (files.Count == MaxFiles)
                throw new CliException(ExitCodes.Usage, $"workdir {root} has more than {MaxFiles} files; name what is not needed in .cairnignore.");
            var file = await DescribeAsync(root, entry, cancellationToken);
            files.Add(file);
            if (file.LinkTarget is null)
                paths.TryAdd(file.Hash, Path.Combine(root, entry));
        }

        return new WorkdirContent(new ApiManifest(files), paths);
    }

    private static IEnumerable<string> Walk(string root, string relative, IgnoreList ignored)
    {
        foreach (var path in Directory.EnumerateFileSystemEntries(Path.Combine(root, relative)).Order(StringComparer.Ordinal))
        {
            var name = relative.Length == 0 ? Path.GetFileName(path) : $"{relative}/{Path.GetFileName(path)}";
            var attributes = File.GetAttributes(path);
            var isFolder = attributes.HasFlag(FileAttributes.Directory) && !attributes.HasFlag(FileAttributes.ReparsePoint);
            if (ignored.IsIgnored("/" + name, isFolder))
                continue;
            if (!isFolder)
            {
                yield return name;
                continue;
            }

            foreach (var below in Walk(root, name, ignored))
                yield return below;
        }
    }

    private static async Task<ApiFile> DescribeAsync(string root, string name, CancellationToken cancellationToken)
    {
        var path = Path.Combine(root, name);
        var info = new FileInfo(path);
        if (info.LinkTarget is { } target)
        {
            var resolved = Path.GetFullPath(target, Path.GetDirectoryName(path)!);
            if (Path.IsPathRooted(target) || !(resolved + "/").StartsWith(root + "/", StringComparison.Ordinal))
                throw new CliException(ExitCodes.Usage, $"workdir: {name} is a link to {target}, outside {root}; copy it or name it in .cairnignore.");
            return new ApiFile(name, "", 0, 0x1FF, target);
        }

        await using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16, FileOptions.Asynchronous | FileOptions.SequentialScan);
        var hash = await SHA256.HashDataAsync(stream, cancellationToken);
        return new ApiFile(name, Convert.ToHexStringLower(hash), stream.Length, (int)File.GetUnixFileMode(path));
    }

    private static IgnoreList ReadIgnoreFile(string root)
    {
        string[] rules = [".git/"];
        var file = s_ignoreFiles.Select(name => Path.Combine(root, name)).FirstOrDefault(File.Exists);
        return new IgnoreList(file is null ? rules : [.. rules, .. File.ReadLines(file)]);
    }
}

/// <param name="Manifest">What the node will see.</param>
/// <param name="PathByHash">Where each blob's bytes are here.</param>
internal sealed record WorkdirContent(ApiManifest Manifest, IReadOnlyDictionary<string, string> PathByHash);
