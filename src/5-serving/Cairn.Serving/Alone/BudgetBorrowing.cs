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
            var (reply, asked) = await AskAsync(key, account, money, cancellationToken);
            var taken = Reservation.Take(account, tokens, money, time.GetUtcNow(), out var refusal);
            if (taken is not null || !refusal!.IsOfMoney || asked.Count == 0)
                return (taken, refusal);
            if (reply is null)
                return (null, refusal with { Unconfirmed = true });
            var may = reply.Pending.Any(asked.ContainsKey)
                || reply.Slices.Any(slice => asked.TryGetValue(slice.Purse, out var ceiling) && slice.Lent - slice.Returned > ceiling);
            if (!may || time.GetElapsedTime(began) > s_patience)
                return (null, refusal);
            if (reply.Pending.Any(asked.ContainsKey))
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

    /// <returns>The server's reply, and the purses that lack money with what might be spent of them before.</returns>
    private async Task<(ReportReply?, Dictionary<PurseId, Money>)> AskAsync(GatewayKey key, KeyAccount account, Money money, CancellationToken cancellationToken)
    {
        var asked = Lacking(key, account, money);
        if (asked.Count == 0 || link.IsAway)
            return (null, asked.ToDictionary(a => a.Key, a => a.Value.Ceiling));
        Task<ReportReply?> answered;
        lock (_lock)
        {
            foreach (var (id, (_, lacks)) in asked)
                _wants[id] = _wants.GetValueOrDefault(id) + lacks;
            answered = _next.Task;
        }
        Wanted?.Invoke();
        try
        {
            return (await answered.WaitAsync(s_patience, time, cancellationToken), asked.ToDictionary(a => a.Key, a => a.Value.Ceiling));
        }
        catch (TimeoutException)
        {
            return (null, asked.ToDictionary(a => a.Key, a => a.Value.Ceiling));
        }
    }

    /// <summary>The key, those above it and the project: which of them lack money, where more could be lent.</summary>
    private Dictionary<PurseId, (Money Ceiling, Money Lacks)> Lacking(GatewayKey key, KeyAccount account, Money money)
    {
        var (lacking, now) = (new Dictionary<PurseId, (Money, Money)>(), time.GetUtcNow());
        if (account.Funds is { Ceiling: { } borrowed } funds && funds.Lacks(money, now) is { Micros: > 0 } credits)
            lacking[key.Project] = (borrowed, credits);
        for (var (level, depth) = (account, 0); level is not null && depth <= GatewayOptions.MostKeyLevels; level = level.Parent, depth++)
        {
            var (ceiling, lacks) = (level.Ceiling, level.Lacks(money, now));
            if (lacks > Money.Zero && ceiling < level.Limits.Budget && money <= level.Limits.Budget)
                lacking[key.Id] = (ceiling.Value, lacks);
            if (key.Parent is not { } parent || state.FindKey(parent) is not var (above, _))
                break;
            key = above;
        }
        return lacking;
    }
}
