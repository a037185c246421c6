using System.Buffers.Binary;
using Cairn.Contracts.Ids;

namespace Cairn.Fleet.Jobs;

/// <summary>Names of jobs.</summary>
internal static class JobName
{
    public const int MostLength = 63;
    private const int SuffixLength = 6;
    private const int LongSuffixLength = 12;
    private const string Letters = "0123456789abcdefghjkmnpqrstvwxyz";

    public static bool IsValid(string name) =>
        name.Length is > 0 and <= MostLength && name.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-')
        && name[0] != '-' && name[^1] != '-';

    /// <summary>
    /// The name with letters of the job's id, for when it is taken: <c>train-k3v9x2</c>. Six letters tell apart the few jobs that usually
    /// share a name; among thousands two of them meet, and the twelve letters that <paramref name="isLong"/> gives do not.
    /// </summary>
    public static string WithSuffix(string name, JobId id, bool isLong = false)
    {
        Span<byte> bytes = stackalloc byte[16];
        id.Value.TryWriteBytes(bytes, bigEndian: true, out _);
        // The last 62 bits of a UUIDv7 are random; the two before them are the same in all.
        var random = BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]);
        Span<char> suffix = stackalloc char[isLong ? LongSuffixLength : SuffixLength];
        for (var i = 0; i < suffix.Length; i++, random >>= 5)
            suffix[i] = Letters[(int)(random & 31)];
        var stem = name.Length > MostLength - suffix.Length - 1 ? name[..(MostLength - suffix.Length - 1)].TrimEnd('-') : name;
        return $"{stem}-{suffix}";
    }
}
