using System.Security.Cryptography;
using System.Text;
using Cairn.Contracts.Api;
using Cairn.Contracts.Wire;

namespace Cairn.Fleet.Outputs;

/// <summary>Directories of content-addressed files, between the wire's form and the API's.</summary>
internal static class Manifests
{
    public static FileManifest ToWire(ApiManifest manifest)
    {
        var wire = new FileManifest();
        var listing = new StringBuilder();
        foreach (var file in manifest.Files.OrderBy(f => f.Path, StringComparer.Ordinal))
        {
            wire.Files.Add(new FileEntry
            {
                Path = file.Path, Hash = file.Hash, SizeBytes = file.SizeBytes, Mode = (uint)file.Mode, LinkTarget = file.LinkTarget ?? "",
            });
            listing.Append(file.Path).Append('\0').Append(file.Hash).Append('\0').Append(file.Mode).Append('\0').Append(file.LinkTarget)
                .Append('\n');
        }
        wire.RootHash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(listing.ToString())));
        return wire;
    }

    public static ApiManifest FromWire(FileManifest wire) => new(
        [.. wire.Files.Select(f => new ApiFile(f.Path, f.Hash, f.SizeBytes, (int)f.Mode, f.LinkTarget.Length > 0 ? f.LinkTarget : null))]);

    /// <summary>
    /// What is wrong with a listing that came from outside, in words; null where every path stays inside and every hash is one.
    /// </summary>
    public static string? Fault(ApiManifest manifest)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var file in manifest.Files)
        {
            if (!IsInside(file.Path))
                return $"The path '{file.Path}' is not a relative path inside the folder.";
            if (!seen.Add(file.Path))
                return $"The path '{file.Path}' is listed twice.";
            if (file.LinkTarget is null && !IsHash(file.Hash))
                return $"The hash '{file.Hash}' of '{file.Path}' is not a SHA-256 in lower-case hex.";
            if (file.SizeBytes < 0)
                return $"The size of '{file.Path}' is {file.SizeBytes}; expected 0 or more.";
            if (file.LinkTarget is { } target && !LinkStaysInside(file.Path, target))
                return $"The link '{file.Path}' leads outside, to '{target}'.";
        }
        return null;
    }

    public static bool IsHash(string? text) =>
        text is { Length: 64 } && !text.AsSpan().ContainsAnyExcept("0123456789abcdef");

    private static bool IsInside(string? path) =>
        !string.IsNullOrEmpty(path) && path.Length <= 4_096 && path[0] != '/' && !path.Contains('\\', StringComparison.Ordinal)
        && !path.Contains('\0', StringComparison.Ordinal) && !path.Split('/').Any(part => part is "" or "." or "..");

    private static bool LinkStaysInside(string path, string target)
    {
        if (target.Length == 0 || target[0] == '/')
            return false;
        var depth = path.Count(c => c == '/');
        foreach (var part in target.Split('/'))
        {
            depth += part switch { "" or "." => 0, ".." => -1, _ => 1 };
            if (depth < 0)
                return false;
        }
        return true;
    }
}
