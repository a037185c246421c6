using Cairn.Contracts.Ids;

namespace Cairn.Serving.Gateway.Routing;

/// <summary>
/// Adapters as bits of one word, so that a decision compares them at once. Two names may share a bit; that costs a detour and no more.
/// </summary>
internal static class AdapterBits
{
    /// <summary>How many adapters an engine is taken to keep that does not say.</summary>
    public const int UsualSlots = 4;

    /// <returns>One bit; 0 where no adapter is named.</returns>
    public static ulong Of(string? adapter) =>
        string.IsNullOrEmpty(adapter) ? 0 : 1UL << (int)(Dice.Mix(Fnv.Hash64(adapter)) & 63);

    public static ulong Of(IReadOnlyList<string> adapters)
    {
        var bits = 0UL;
        foreach (var adapter in adapters)
            bits |= Of(adapter);
        return bits;
    }
}
