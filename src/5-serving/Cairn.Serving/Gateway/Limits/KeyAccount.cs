using Cairn.Contracts.Units;

namespace Cairn.Serving.Gateway.Limits;

/// <summary>What a key has used and reserved. Changed only under its tree's lock.</summary>
internal sealed class KeyAccount(string name, KeyAccount? parent)
{
    /// <summary>One per kind of period, always: a budget that changes its period finds what was spent in the other.</summary>
    private readonly (DateTimeOffset Began, Money Spent)[] _periods = new (DateTimeOffset, Money)[BudgetPeriods.All.Count];

    public string Name { get; } = name;

    /// <summary>The key that this one is under; its limits hold too.</summary>
    public KeyAccount? Parent { get; } = parent;

    /// <summary>One lock for a whole tree: a reservation is taken on every level or on none.</summary>
    public Lock TreeLock { get; } = parent?.TreeLock ?? new Lock();

    /// <summary>Its project's money, which all of the project's keys share; null sets no limit.</summary>
    public ProjectFunds? Funds { get; init; }

    public KeyLimits Limits { get; private set; } = KeyLimits.None;

    public SlidingMinute Requests { get; } = new();

    public SlidingMinute Tokens { get; } = new();

    public int Parallel { get; set; }

    /// <summary>Settled in the budget's period.</summary>
    public Money Spent => _periods[(int)Limits.Period].Spent;

    /// <summary>Promised to requests under way.</summary>
    public Money Reserved { get; set; }

    public void Change(KeyLimits limits)
    {
        lock (TreeLock)
            Limits = limits;
    }

    /// <summary>Says what was spent before this process began.</summary>
    public void Restore(KeySpending spent)
    {
        lock (TreeLock)
        {
            foreach (var period in BudgetPeriods.All)
            {
                ref var counter = ref _periods[(int)period];
                var (began, money) = spent[period];
                if (began > counter.Began)
                    counter = (began, money);
                else if (began == counter.Began)
                    counter.Spent += money;
            }
        }
    }

    public void Spend(Money money)
    {
        foreach (ref var period in _periods.AsSpan())
            period.Spent += money;
    }

    /// <summary>Moves the windows and the periods to a time.</summary>
    public void Advance(DateTimeOffset now)
    {
        Requests.Advance(now);
        Tokens.Advance(now);
        foreach (var period in BudgetPeriods.All)
        {
            var began = BudgetPeriods.Began(period, now);
            if (began > _periods[(int)period].Began)
                _periods[(int)period] = (began, Money.Zero);
        }
    }
}
