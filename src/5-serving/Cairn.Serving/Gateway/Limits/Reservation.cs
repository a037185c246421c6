using Cairn.Contracts.Units;

namespace Cairn.Serving.Gateway.Limits;

/// <summary>
/// What a request may use at most, taken from every level of its key before it goes on. Settled once with what it did use; disposing gives all of it back, so a
/// request that fails on any path leaks nothing.
/// </summary>
internal sealed class Reservation : IDisposable
{
    private readonly KeyAccount _key;
    private readonly long _second;
    private readonly long _tokens;
    private readonly Money _money;
    private bool _settled;

    private Reservation(KeyAccount key, long second, long tokens, Money money) => (_key, _second, _tokens, _money) = (key, second, tokens, money);

    /// <summary>Reserves on every level or on none.</summary>
    /// <param name="key">The caller's key.</param>
    /// <param name="tokens">Prompt and most output.</param>
    /// <param name="money">The most that these can cost.</param>
    public static Reservation? Take(KeyAccount key, long tokens, Money money, DateTimeOffset now, out LimitRefusal? refusal)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(tokens);
        ArgumentOutOfRangeException.ThrowIfNegative(money.Micros);
        lock (key.TreeLock)
        {
            for (var level = key; level is not null; level = level.Parent)
            {
                level.Advance(now);
                refusal = Check(level, tokens, money, now);
                if (refusal is not null)
                    return null;
            }
            refusal = Promise(key, money);
            if (refusal is not null)
                return null;
            var second = 0L;
            for (var level = key; level is not null; level = level.Parent)
            {
                level.Requests.Add(1);
                second = level.Tokens.Add(tokens);
                level.Parallel++;
                level.Reserved += money;
            }
            return new Reservation(key, second, tokens, money);
        }
    }

    /// <summary>Counts one more request under the same reservation, on every level or on none: a stream that asks again and again is held to requests per minute as well.</summary>
    public LimitRefusal? TakeAnother(DateTimeOffset now)
    {
        lock (_key.TreeLock)
        {
            for (var level = _key; level is not null; level = level.Parent)
            {
                level.Advance(now);
                if (level.Limits.RequestsPerMinute is { } most && level.Requests.Sum + 1 > most)
                    return new LimitRefusal(LimitKind.Requests, level.Name, most, level.Requests.Sum, 1, level.Requests.UntilAtMost(most - 1, now));
            }
            for (var level = _key; level is not null; level = level.Parent)
                level.Requests.Add(1);
            return null;
        }
    }

    /// <summary>Replaces what was reserved by what was used. Later calls change nothing.</summary>
    public void Settle(long tokens, Money money)
    {
        lock (_key.TreeLock)
        {
            if (_settled)
                return;
            _settled = true;
            for (var level = _key; level is not null; level = level.Parent)
            {
                level.Tokens.Correct(_second, tokens - _tokens);
                level.Parallel--;
                level.Reserved -= _money;
                level.Spend(money);
            }
            if (_money != Money.Zero || money != Money.Zero)
                _key.Funds?.Settle(_money, money);
        }
    }

    public void Dispose() => Settle(0, Money.Zero);

    /// <summary>Last, so that a refusal by a limit has promised nothing. What costs nothing asks nothing.</summary>
    private static LimitRefusal? Promise(KeyAccount key, Money money)
    {
        if (money == Money.Zero || key.Funds is not { } funds || funds.TryReserve(money))
            return null;
        var left = Money.Max(funds.Left ?? Money.Zero, Money.Zero);
        return new LimitRefusal(LimitKind.Funds, key.Name, left.Micros, funds.Promised.Micros, money.Micros, money <= left ? TimeSpan.FromSeconds(1) : null);
    }

    private static LimitRefusal? Check(KeyAccount level, long tokens, Money money, DateTimeOffset now)
    {
        var limits = level.Limits;
        if (limits.ParallelRequests is { } parallel && level.Parallel >= parallel)
            return new LimitRefusal(LimitKind.Parallel, level.Name, parallel, level.Parallel, 1, TimeSpan.FromSeconds(1));
        if (limits.RequestsPerMinute is { } requests && level.Requests.Sum + 1 > requests)
            return new LimitRefusal(LimitKind.Requests, level.Name, requests, level.Requests.Sum, 1, level.Requests.UntilAtMost(requests - 1, now));
        if (limits.TokensPerMinute is { } most && level.Tokens.Sum + tokens > most)
        {
            var wait = tokens > most ? (TimeSpan?)null : level.Tokens.UntilAtMost(most - tokens, now);
            return new LimitRefusal(LimitKind.Tokens, level.Name, most, level.Tokens.Sum, tokens, wait);
        }
        if (level.Ceiling is { } budget && level.Spent + level.Reserved + level.Lent + money > budget)
        {
            var used = level.Spent + level.Reserved + level.Lent;
            return new LimitRefusal(LimitKind.Budget, level.Name, budget.Micros, used.Micros, money.Micros, Anew(level, budget, money, now));
        }
        return null;
    }

    /// <summary>Waiting helps where what is reserved may come back, or where the budget begins anew and is large enough.</summary>
    private static TimeSpan? Anew(KeyAccount level, Money budget, Money money, DateTimeOffset now)
    {
        if (money > budget)
            return null;
        return level.Spent + money <= budget ? TimeSpan.FromSeconds(1) : BudgetPeriods.Next(level.Limits.Period, now) - now;
    }
}
