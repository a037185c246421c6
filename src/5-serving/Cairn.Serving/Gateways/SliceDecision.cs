using Cairn.Contracts.Units;
using Cairn.Serving.Gateway.Limits;

namespace Cairn.Serving.Gateways;

/// <summary>How budgets and rates are divided between the server's own gateway and those that run alone; pure.</summary>
internal static class SliceDecision
{
    /// <summary>
    /// How much more of a budget a gateway gets: what its waiting requests lack, or an even share of what nobody has spent, whichever is more, and never more than is left.
    /// </summary>
    /// <param name="room">Left of the budget: not spent, not reserved, not lent.</param>
    /// <param name="held">Lent to this gateway and not spent, as far as is known.</param>
    /// <param name="wanted">What its waiting requests lack.</param>
    /// <param name="parties">Gateways that share the budget, the server's own counted.</param>
    public static Money More(Money room, Money held, Money wanted, int parties)
    {
        if (room <= Money.Zero)
            return Money.Zero;
        var fair = new Money((room + held).Micros / Math.Max(1, parties));
        return Money.Min(room, Money.Max(Money.Max(Money.Zero, fair - held), wanted));
    }

    /// <summary>Each party's share of a key's rates: an even one, at least 1. Budgets are lent and not divided.</summary>
    public static KeyLimits RateShare(KeyLimits limits, int parties) => parties <= 1 ? limits : limits with
    {
        RequestsPerMinute = Share(limits.RequestsPerMinute, parties),
        TokensPerMinute = Share(limits.TokensPerMinute, parties),
        ParallelRequests = (int?)Share(limits.ParallelRequests, parties),
    };

    private static long? Share(long? limit, int parties) => limit is { } whole ? Math.Max(1, whole / parties) : null;
}
