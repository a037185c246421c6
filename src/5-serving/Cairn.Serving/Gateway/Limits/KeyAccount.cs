using Cairn.Contracts.Units;

namespace Cairn.Serving.Gateway.Limits;

/// <summary>What a key has used and reserved. Changed only under its tree's lock.</summary>
/// <param name="name">For people.</param>
/// <param name="parent">The key that this one is under; its limits hold too.</param>
/// <param name="borrows">Whether its budget is spent from what a server lends, and not as the limits say: so at a gateway that runs alone.</param>
internal sealed class KeyAccount(string name, KeyAccount? parent, bool borrows = false) : IPurse
{
    /// <summary>One per kind of period, always: a budget that changes its period finds what was spent in the other.</summary>
    private readonly (DateTimeOffset Began, Money Spent, Money Lent)[] _periods = new (DateTimeOffset, Money, Money)[BudgetPeriods.All.Count];

    private (BudgetPeriod Period, DateTimeOffset Began, Money Money) _borrowed;

    public string Name { get; } = name;

    public KeyAccount? Parent { get; } = parent;

    /// <summary>One lock for a whole tree: a reservation is taken on every level or on none.</summary>
    public Lock TreeLock { get; } = parent?.TreeLock ?? new Lock();

    /// <summary>Its project's money, which all of the project's keys share; null sets no limit.</summary>
    public ProjectFunds? Funds { get; init; }

    public KeyLimits Limits { get; private set; } = KeyLimits.None;

    public SlidingMinute Requests { get; } = new();

    public SlidingMinute Tokens { get; } = new();

    public int Parallel { get; set; }

    public BudgetPeriod Period => Limits.Period;

    /// <summary>Settled in the budget's period.</summary>
    public Money Spent => _periods[(int)Limits.Period].Spent;

    /// <summary>Lent to other gateways in the budget's period, and not yet spent there as far as is known.</summary>
    public Money Lent => _periods[(int)Limits.Period].Lent;

    /// <summary>Promised to requests under way.</summary>
    public Money Reserved { get; set; }

    /// <summary>What may be spent in the budget's period; null where nothing limits it. Borrowed money is good for its own period only.</summary>
    public Money? Ceiling => Limits.Budget is not { } budget ? null
        : !borrows ? budget
        : _borrowed.Period == Limits.Period && _borrowed.Began == _periods[(int)Limits.Period].Began ? _borrowed.Money : Money.Zero;

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
                    counter = (began, money, Money.Zero);
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
                _periods[(int)period] = (began, Money.Zero, Money.Zero);
        }
    }

    public Money Room(DateTimeOffset now)
    {
        lock (TreeLock)
        {
            Advance(now);
            return Limits.Budget is { } budget ? budget - Spent - Reserved - Lent : Money.Zero;
        }
    }

    public Money Lend(Func<Money, Money> decide, DateTimeOffset now)
    {
        lock (TreeLock)
        {
            Advance(now);
            if (Limits.Budget is not { } budget)
                return Money.Zero;
            var more = decide(Money.Max(Money.Zero, budget - Spent - Reserved - Lent));
            _periods[(int)Limits.Period].Lent += more;
            return more;
        }
    }

    public void SpentElsewhere(Money spent, DateTimeOffset at, IReadOnlyDictionary<BudgetPeriod, Money> lent, DateTimeOffset now)
    {
        lock (TreeLock)
        {
            Advance(now);
            foreach (var period in BudgetPeriods.All)
            {
                ref var counter = ref _periods[(int)period];
                if (BudgetPeriods.Began(period, at) == counter.Began)
                    counter.Spent += spent;
                if (lent.TryGetValue(period, out var money))
                    counter.Lent = money;
            }
        }
    }

    public void Borrow(BudgetPeriod period, DateTimeOffset began, Money money)
    {
        lock (TreeLock)
            _borrowed = (period, began, money);
    }

    public Money GiveBack(DateTimeOffset now)
    {
        lock (TreeLock)
        {
            Advance(now);
            var idle = Money.Max(Money.Zero, (Ceiling ?? Money.Zero) - Spent - Reserved);
            _borrowed.Money -= idle;
            return idle;
        }
    }

    public Money Lacks(Money money, DateTimeOffset now)
    {
        lock (TreeLock)
        {
            Advance(now);
            return Ceiling is { } ceiling ? Money.Max(Money.Zero, Spent + Reserved + Lent + money - ceiling) : Money.Zero;
        }
    }
}
