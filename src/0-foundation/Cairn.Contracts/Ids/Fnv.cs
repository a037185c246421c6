namespace Cairn.Contracts.Ids;

/// <summary>
/// FNV-1a (http://www.isthe.com/chongo/tech/comp/fnv/), for what is derived from a name or an id and has to come out the same on every
/// machine and in every version, such as a port. It withstands no adversary.
/// </summary>
public static class Fnv
{
    public const ulong Prime64 = 1099511628211;
    private const uint Prime32 = 16777619;

    public static uint Hash32(ReadOnlySpan<byte> bytes)
    {
        var hash = 2166136261u;
        foreach (var one in bytes)
            hash = (hash ^ one) * Prime32;
        return hash;
    }

    /// <summary>Letter by letter: of ASCII text the same as of its bytes.</summary>
    public static uint Hash32(ReadOnlySpan<char> text)
    {
        var hash = 2166136261u;
        foreach (var letter in text)
            hash = (hash ^ letter) * Prime32;
        return hash;
    }

    /// <summary>Letter by letter: of ASCII text the same as of its bytes.</summary>
    public static ulong Hash64(ReadOnlySpan<char> text)
    {
        var hash = 14695981039346656037;
        foreach (var letter in text)
            hash = (hash ^ letter) * Prime64;
        return hash;
    }
}
