using Cairn.Contracts.Wire;

namespace Cairn.Node.Files;

/// <summary>What a manifest may say, pure. A manifest that breaks a rule is refused as a whole, before anything is written.</summary>
internal static class ManifestRules
{
    private const int LongestPath = 4096;
    private const int MostFiles = 1_000_000;

    /// <summary>The first thing that is wrong, in words; null where nothing is.</summary>
    public static string? Check(FileManifest manifest)
    {
        if (manifest.Files.Count > MostFiles)
            return $"the manifest lists {manifest.Files.Count} files: at most {MostFiles} are taken";
        var leaves = new HashSet<string>(StringComparer.Ordinal);
        foreach (var file in manifest.Files)
        {
            if (CheckEntry(file) is { } problem)
                return problem;
            if (!leaves.Add(file.Path))
                return $"the manifest lists '{file.Path}' twice";
        }
        // Nothing lies under a file or a link: so no write ever goes through a link of the manifest.
        var under = manifest.Files.FirstOrDefault(file => Parents(file.Path).Any(leaves.Contains));
        return under is null ? null : $"'{under.Path}' lies under a path that is itself a file or a link of the manifest";
    }

    /// <summary>
    /// True for a relative path of plain names with forward slashes, which cannot lead outside. A backslash is refused: the listing may be
    /// read on a machine where it parts names.
    /// </summary>
    public static bool IsInside(string path) =>
        path.Length is > 0 and <= LongestPath && path.AsSpan().IndexOfAny('\0', '\\') < 0
        && path.Split('/').All(name => name.Length is > 0 and <= 255 && name is not ("." or ".."));

    /// <summary>
    /// True where a link in the folder of <paramref name="path"/> stays inside: first steps up, not beyond the root, then plain names.
    /// Steps
    /// up behind a name are refused, because the name may be a link and the step would start somewhere else.
    /// </summary>
    public static bool IsInsideLink(string path, string target)
    {
        if (target.Length is 0 or > LongestPath || target.Contains('\0') || target[0] == '/')
            return false;
        var names = target.TrimEnd('/').Split('/').Where(name => name != ".").ToList();
        var up = names.TakeWhile(name => name == "..").Count();
        var depth = path.Count(letter => letter == '/');
        return up <= depth && names.Skip(up).All(name => name.Length is > 0 and <= 255 && name != "..");
    }

    private static string? CheckEntry(FileEntry file)
    {
        if (!IsInside(file.Path))
            return $"the path '{file.Path}' is not a relative path inside the folder";
        if (file.LinkTarget.Length > 0)
        {
            return IsInsideLink(file.Path, file.LinkTarget)
                ? null
                : $"the link '{file.Path}' to '{file.LinkTarget}' may lead outside the folder: expected steps up within it, then plain names";
        }
        if (file.Hash.Length != 64 || !file.Hash.All(char.IsAsciiHexDigitLower))
            return $"the hash of '{file.Path}' is '{file.Hash}': expected 64 lower-case hex digits";
        return file.SizeBytes < 0 ? $"the size of '{file.Path}' is {file.SizeBytes}" : null;
    }

    private static IEnumerable<string> Parents(string path)
    {
        for (var slash = path.LastIndexOf('/'); slash > 0; slash = path.LastIndexOf('/', slash - 1))
            yield return path[..slash];
    }
}
