using System.Numerics;

namespace Cairn.Planning.Scheduling;

/// <summary>Sets of device indexes of one node as one word.</summary>
internal static class DeviceBits
{
    public static int[] ToIndexes(ulong devices)
    {
        var indexes = new int[BitOperations.PopCount(devices)];
        for (var i = 0; devices != 0; i++, devices &= devices - 1)
            indexes[i] = BitOperations.TrailingZeroCount(devices);
        return indexes;
    }

    public static ulong FirstN(int count) => count >= 64 ? ulong.MaxValue : (1UL << count) - 1;

    /// <summary>
    /// <paramref name="count"/> bits of <paramref name="free"/>: an aligned block of two, four or eight where one is whole, because
    /// boards link neighbours; otherwise the lowest. Of several blocks the one whose twin is already broken, so that larger blocks
    /// stay whole.
    /// </summary>
    public static ulong Choose(ulong free, int count)
    {
        if (count is 2 or 4 or 8 && AlignedBlock(free, count) is var block and not 0)
            return block;
        var chosen = 0UL;
        for (var i = 0; i < count; i++, free &= free - 1)
            chosen |= free & (0UL - free);
        return chosen;
    }

    private static ulong AlignedBlock(ulong free, int size)
    {
        var first = 0UL;
        for (var at = 0; at < 64 && free >> at != 0; at += size)
        {
            var block = FirstN(size) << at;
            if ((free & block) != block)
                continue;
            var twin = FirstN(size) << (at ^ size);
            if ((free & twin) != twin)
                return block;
            if (first == 0)
                first = block;
        }

        return first;
    }
}
