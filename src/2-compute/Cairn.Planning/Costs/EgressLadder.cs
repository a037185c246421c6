using Cairn.Contracts.Offers;

namespace Cairn.Planning.Costs;

/// <summary>
/// What moving data over the internet costs by a ladder of monthly volume. Each rung prices only the bytes that fall within it: 30 TB on a ladder
/// whose first rung ends at 10 TB pays 10 TB at the first price and 20 TB at the second.
/// </summary>
internal static class EgressLadder
{
    /// <param name="rungs">In rising order; empty means free. Volume beyond a last rung that has an end pays the last price.</param>
    /// <param name="bytesBefore">What has left the provider since the start of the month.</param>
    /// <param name="bytes">What leaves now.</param>
    /// <returns>Micro-dollars, rounded down once.</returns>
    public static long Cost(IReadOnlyList<PriceRung> rungs, long bytesBefore, long bytes)
    {
        if (bytes <= 0 || rungs.Count == 0)
            return 0;
        Int128 sum = 0;
        Int128 from = Math.Max(0, bytesBefore);
        var end = from + bytes;
        for (var i = 0; i < rungs.Count && from < end; i++)
        {
            var rungEnd = i == rungs.Count - 1 || rungs[i].UpToBytes is not { } upTo ? end : Int128.Min(end, upTo);
            if (rungEnd <= from)
                continue;
            sum += (rungEnd - from) * rungs[i].PerGigabyte.Micros;
            from = rungEnd;
        }

        var cost = sum / Amounts.BytesPerGigabyte;
        return cost > Amounts.Cap ? Amounts.Cap : (long)cost;
    }
}
