using Cairn.Contracts.Ids;

namespace Cairn.Fleet.Jobs;

/// <summary>Names of jobs.</summary>
internal static class JobName
{
    public const int MostLength = 63;
    private const int SuffixLength = 6;
    private const string Letters = "0123456789abcdefghjkmnpqrstvwxyz";

    public static bool IsValid(string name) =>
        name.Length is > 0 and <= MostLength && name.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-')
        && name[0] != '-' && name[^1] != '-';

    /// <summary>The name with six letters of the job's id, for when it is taken: <c>train-k3v9x2</c>.</summary>
    public static string WithSuffix(string name, JobId id)
    {
        Span<byte> bytes = stackalloc byte[16];
        id.Value.TryWriteBytes(bytes);
        // The end of a UUIDv7 is random.
        var random = BitConverter.ToUInt64(bytes[8..]);
        Span<char> suffix = stackalloc char[SuffixLength];
        for (var i = 0; i < SuffixLength; i++, random >>= 5)
            suffix[i] = Letters[(int)(random & 31)];
        var stem = name.Length > MostLength - SuffixLength - 1 ? name[..(MostLength - SuffixLength - 1)].TrimEnd('-') : name;
        return $"{stem}-{suffix}";
    }
}
