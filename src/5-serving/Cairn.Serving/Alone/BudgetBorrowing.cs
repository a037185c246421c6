using Cairn.Contracts.Units;
using Cairn.Serving.Gateway;
using Cairn.Serving.Gateway.Limits;
using Cairn.Serving.Gateway.Pools;
using Cairn.Serving.Gateway.Snapshots;
using Cairn.Serving.Gateways;

namespace Cairn.Serving.Alone;

/// <summary>What requests that wait for money lack together, and what becomes of asking for it.</summary>
/// <param name="Wants">By purse, more than zero.</param>
/// <param name="Answered">The server's reply; null where it is away.</param>
internal sealed record BorrowingRound(IReadOnlyDictionary<PurseId, Money> Wants, TaskCompletionSource<ReportReply?> Answered);

/// <summary>
/// Lets requests wait while the server is asked for more of a budget or of a project's credits. Those that wait at the same time are asked for together. Where the server is away nobody waits.
/// </summary>
internal sealed class BudgetBorrowing(GatewayState state, ServerLink link, TimeProvider time) : IBorrowsBudgets
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan s_look = TimeSpan.FromMilliseconds(100);
    private readonly Lock _lock = new();
    private Dictionary<PurseId, Money> _wants = [];
    private TaskCompletionSource<ReportReply?> _next = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Somebody waits for the next report. Handlers are short.</summary>
    public event Action? Wanted;

    public async Task<(Reservation? Taken, LimitRefusal? Refusal)> BorrowAsync(
        GatewayKey key, KeyAccount account, long tokens, Money money, CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        while (true)
        {
            var asked = await AskAsync(key, account, money, cancellationToken);
            var taken = Reservation.Take(account, tokens, money, time.GetUtcNow(), out var refusal);
            if (taken is not null || !refusal!.IsOfMoney || asked.IsHopeless)
                return (taken, refusal);
            // Where there was enough a moment ago, another request was quicker; where more was lent, others took that too.
            if (!asked.HadEnough && asked.Reply is { } reply && !asked.MayHaveMore(reply))
                return (null, refusal);
            if ((!asked.HadEnough && asked.Reply is null) || time.GetElapsedTime(began) > s_patience)
                return (null, refusal with { Unconfirmed = true });
            if (asked.Reply?.Pending.Any(asked.Ceilings.ContainsKey) == true)
                await Task.Delay(s_look, time, cancellationToken);
        }
    }

    /// <summary>What is asked for next; who waits hears of <see cref="BorrowingRound.Answered"/>.</summary>
    public BorrowingRound Take()
    {
        lock (_lock)
        {
            var round = new BorrowingRound(_wants, _next);
            (_wants, _next) = ([], new TaskCompletionSource<ReportReply?>(TaskCreationOptions.RunContinuationsAsynchronously));
            return round;
        }
    }

    private async Task<Asked> AskAsync(GatewayKey key, KeyAccount account, Money money, CancellationToken cancellationToken)
    {
        var (wants, enough) = Lacking(key, account, money);
        var ceilings = wants.ToDictionary(want => want.Key, want => want.Value.Ceiling);
        if (wants.Count == 0 || link.IsAway)
            return new Asked(null, ceilings, enough);
        Task<ReportReply?> answered;
        lock (_lock)
        {
            foreach (var (id, (_, lacks)) in wants)
                _wants[id] = _wants.GetValueOrDefault(id) + lacks;
            answered = _next.Task;
        }
        Wanted?.Invoke();
        try
        {
            return new Asked(await answered.WaitAsync(s_patience, time, cancellationToken), ceilings, enough);
        }
        catch (TimeoutException)
        {
            return new Asked(null, ceilings, enough);
        }
    }

    /// <summary>The key, those above it and the project: which of them lack money where more could be lent, and whether none lacks any.</summary>
    private (Dictionary<PurseId, (Money Ceiling, Money Lacks)> Wants, bool Enough) Lacking(GatewayKey key, KeyAccount account, Money money)
    {
        var (wants, enough, now) = (new Dictionary<PurseId, (Money, Money)>(), true, time.GetUtcNow());
        if (account.Funds is { Ceiling: { } borrowed } funds && funds.Lacks(money, now) is { Micros: > 0 } credits)
            (wants[key.Project], enough) = ((borrowed, credits), false);
        for (var (level, depth) = (account, 0); level is not null && depth <= GatewayOptions.MostKeyLevels; level = level.Parent, depth++)
        {
            var (ceiling, lacks) = (level.Ceiling, level.Lacks(money, now));
            enough &= lacks <= Money.Zero;
            if (lacks > Money.Zero && ceiling < level.Limits.Budget && money <= level.Limits.Budget)
                wants[key.Id] = (ceiling.Value, lacks);
            if (key.Parent is not { } parent || state.FindKey(parent) is not var (above, _))
                break;
            key = above;
        }
        return (wants, enough);
    }

    /// <param name="Reply">The server's; null where it was not asked or has not answered in time.</param>
    /// <param name="Ceilings">Of the purses that lacked money where more could be lent: what might be spent of each before.</param>
    /// <param name="HadEnough">Nothing lacked.</param>
    private sealed record Asked(ReportReply? Reply, IReadOnlyDictionary<PurseId, Money> Ceilings, bool HadEnough)
    {
        /// <summary>Money lacked, and none of it can be lent.</summary>
        public bool IsHopeless => Ceilings.Count == 0 && !HadEnough;

        public bool MayHaveMore(ReportReply reply) => reply.Pending.Any(Ceilings.ContainsKey)
            || reply.Slices.Any(slice => Ceilings.TryGetValue(slice.Purse, out var ceiling) && slice.Lent - slice.Returned > ceiling);
    }
}
