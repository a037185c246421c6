using System.Numerics;

namespace Cairn.Planning.Scheduling;

/// <summary>What a gang asks of the next node.</summary>
/// <param name="Left">Tasks still to be placed that may share the node: 1 for a spread gang.</param>
/// <param name="Compact">True to take as few nodes as can be, false to fill the smallest fragments.</param>
/// <param name="Domain">The only domain to look in; null for any.</param>
internal readonly record struct NodeWish(int Left, bool Compact, string? Domain)
{
    public bool Admits(Cell cell) => Domain is null || cell.Domain.Equals(Domain, StringComparison.Ordinal);
}

/// <summary>Finds the best node for the next task of a gang. It looks at the index only and changes nothing.</summary>
internal static class NodeSearch
{
    /// <summary>
    /// The first choice that has a node, and of it: (1) a partly used device for a share; (2) for a compact gang the smallest node that
    /// holds all that is left, else the largest; (3) otherwise the smallest that holds one task.
    /// </summary>
    public static Node? Next(ReadOnlySpan<Place> places, in NodeWish wish, out int at)
    {
        for (var start = 0; start < places.Length;)
        {
            var end = start + 1;
            while (end < places.Length && places[end].Choice == places[start].Choice)
                end++;
            if (OfOneChoice(places[start..end], wish, out at) is { } node)
            {
                at += start;
                return node;
            }

            start = end;
        }

        at = -1;
        return null;
    }

    private static Node? OfOneChoice(ReadOnlySpan<Place> places, in NodeWish wish, out int at)
    {
        var need = places[0].Need;
        if (need.Share > 0 && WithShare(places, wish, out at) is { } shared)
            return shared;
        var rows = 0UL;
        foreach (ref readonly var place in places)
            rows |= wish.Admits(place.Cell) ? place.Cell.Rows : 0;
        rows = rows >> need.LowestRow << need.LowestRow;
        var enough = wish.Compact ? rows & RowsFrom(DevicesOf(need, wish.Left)) : rows;
        for (rows &= ~enough; enough != 0; enough &= enough - 1)
        {
            if (InRow(places, BitOperations.TrailingZeroCount(enough), wish, out at) is { } node)
                return node;
        }

        while (rows != 0)
        {
            var row = BitOperations.Log2(rows);
            if (InRow(places, row, wish, out at) is { } node)
                return node;
            rows &= ~(1UL << row);
        }

        at = -1;
        return null;
    }

    /// <summary>Whole devices that hold <paramref name="tasks"/> tasks.</summary>
    private static long DevicesOf(CompiledNeed need, int tasks)
    {
        var perDevice = need.Share > 0 ? TaskNeed.WholeAccelerator / need.Share : 1;
        return need.Share > 0 ? (tasks + (long)perDevice - 1) / perDevice : (long)need.Devices * tasks;
    }

    private static ulong RowsFrom(long row) => row > NodeShape.MaxDevices ? 0 : ulong.MaxValue << (int)row;

    private static Node? WithShare(ReadOnlySpan<Place> places, in NodeWish wish, out int at)
    {
        var buckets = 0U;
        foreach (ref readonly var place in places)
            buckets |= wish.Admits(place.Cell) ? place.Cell.Shares : 0;
        var lowest = Cell.ShareBucketOf(places[0].Need.Share);
        for (buckets = buckets >> lowest << lowest; buckets != 0; buckets &= buckets - 1)
        {
            var bucket = BitOperations.TrailingZeroCount(buckets);
            for (at = 0; at < places.Length; at++)
            {
                if ((places[at].Cell.Shares >> bucket & 1) == 0 || !wish.Admits(places[at].Cell))
                    continue;
                for (var node = places[at].Cell.FirstShare(bucket); node is not null; node = node.NextShare)
                {
                    if (Fit.OnShared(node, places[at]))
                        return node;
                }
            }
        }

        at = -1;
        return null;
    }

    private static Node? InRow(ReadOnlySpan<Place> places, int row, in NodeWish wish, out int at)
    {
        for (at = 0; at < places.Length; at++)
        {
            if ((places[at].Cell.Rows >> row & 1) == 0 || !wish.Admits(places[at].Cell))
                continue;
            if (InRow(places[at], row, wish) is { } node)
                return node;
        }

        at = -1;
        return null;
    }

    /// <summary>The lowest level that holds as many tasks as the row does, else the highest.</summary>
    private static Node? InRow(in Place place, int row, in NodeWish wish)
    {
        var need = place.Need;
        var tasks = !wish.Compact ? 1 : need.Devices > 0 ? Math.Min(wish.Left, row / need.Devices) : wish.Left;
        var levels = place.Cell.LevelsFrom(row, need.Level);
        var enough = levels & ulong.MaxValue << (tasks == 1 ? need.Level : Cell.LevelOf(Product(need.Need.CpuMillis, tasks)));
        for (levels &= ~enough; enough != 0; enough &= enough - 1)
        {
            if (InList(place.Cell.First(row, BitOperations.TrailingZeroCount(enough)), place) is { } node)
                return node;
        }

        while (levels != 0)
        {
            var level = BitOperations.Log2(levels);
            if (InList(place.Cell.First(row, level), place) is { } node)
                return node;
            levels &= ~(1UL << level);
        }

        return null;
    }

    private static long Product(long cpuMillis, int tasks) => cpuMillis > long.MaxValue / tasks ? long.MaxValue : cpuMillis * tasks;

    private static Node? InList(Node? node, in Place place)
    {
        for (; node is not null; node = node.Next)
        {
            if (Fit.On(node, place))
                return node;
        }

        return null;
    }
}
