using Cairn.Contracts.Units;

namespace Cairn.Serving.Gateway.Limits;

/// <summary>What a key has used and reserved. Changed only under its tree's lock.</summary>
internal sealed class KeyAccount(string name, KeyAccount? parent)
{
    private DateTimeOffset _periodBegan;

    public string Name { get; } = name;

    /// <summary>The key that this one is under; its limits hold too.</summary>
    public KeyAccount? Parent { get; } = parent;

    /// <summary>One lock for a whole tree: a reservation is taken on every level or on none.</summary>
    public Lock TreeLock { get; } = parent?.TreeLock ?? new Lock();

    public KeyLimits Limits { get; private set; } = KeyLimits.None;

    public SlidingMinute Requests { get; } = new();

    public SlidingMinute Tokens { get; } = new();

    public int Parallel { get; set; }

    /// <summary>Settled in this period.</summary>
    public Money Spent { get; set; }

    /// <summary>Promised to requests under way.</summary>
    public Money Reserved { get; set; }

    public void Change(KeyLimits limits)
    {
        lock (TreeLock)
            Limits = limits;
    }

    /// <summary>Says what was spent in this period before this process began.</summary>
    public void Restore(Money spent, DateTimeOffset now)
    {
        lock (TreeLock)
        {
            Advance(now);
            Spent = spent;
        }
    }

    /// <summary>Moves the windows and the budget's period to a time.</summary>
    public void Advance(DateTimeOffset now)
    {
        Requests.Advance(now);
        Tokens.Advance(now);
        var began = PeriodOf(now, Limits.Period);
        if (began > _periodBegan)
            (_periodBegan, Spent) = (began, _periodBegan == default ? Spent : Money.Zero);
    }

    /// <summary>When the budget begins anew; null where it never does.</summary>
    public DateTimeOffset? NextPeriod(DateTimeOffset now) => Limits.Period switch
    {
        BudgetPeriod.Daily => PeriodOf(now, BudgetPeriod.Daily).AddDays(1),
        BudgetPeriod.Weekly => PeriodOf(now, BudgetPeriod.Weekly).AddDays(7),
        BudgetPeriod.Monthly => PeriodOf(now, BudgetPeriod.Monthly).AddMonths(1),
        _ => null,
    };

    private static DateTimeOffset PeriodOf(DateTimeOffset now, BudgetPeriod period)
    {
        var day = new DateTimeOffset(now.UtcDateTime.Date, TimeSpan.Zero);
        return period switch
        {
            BudgetPeriod.Daily => day,
            BudgetPeriod.Weekly => day.AddDays(-(((int)day.DayOfWeek + 6) % 7)),
            BudgetPeriod.Monthly => day.AddDays(1 - day.Day),
            _ => DateTimeOffset.UnixEpoch,
        };
    }
}
