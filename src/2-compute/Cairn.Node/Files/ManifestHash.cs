using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Cairn.Contracts.Wire;

namespace Cairn.Node.Files;

/// <summary>
/// The root hash of a manifest: SHA-256, lower-case hex, over its canonical listing. The listing has one line per entry in ordinal order of
/// paths: <c>MODE HASH SIZE PATH\n</c>, the mode in octal; a link has its target in place of the hash, with <c>@</c> before it.
/// </summary>
internal static class ManifestHash
{
    public static string Of(IEnumerable<FileEntry> files)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var file in files.OrderBy(f => f.Path, StringComparer.Ordinal))
        {
            var content = file.LinkTarget.Length > 0 ? "@" + file.LinkTarget : file.Hash;
            hash.AppendData(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture,
                $"{Convert.ToString(file.Mode, 8)} {content} {file.SizeBytes} {file.Path}\n")));
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
