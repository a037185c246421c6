using Cairn.Contracts.Units;

namespace Cairn.Serving.Gateway.Limits;

/// <summary>
/// What a project can still spend on models: what the ledger had available when it was last read, less what was used since and is not in
/// the ledger yet, less what is promised to requests under way, less what is lent to other gateways. Never less than zero, but where the
/// ledger says less than before: what is promised then is answered all the same. At a gateway that runs alone: what the server has lent,
/// less what was used of it, less what is promised.
/// </summary>
internal sealed class ProjectFunds : IPurse
{
    private readonly Lock _lock = new();
    private Money? _available;
    private Money _unwritten;
    private Money _reserved;
    private Money _lent;

    /// <summary>Credits never begin anew.</summary>
    public BudgetPeriod Period => BudgetPeriod.Total;

    /// <summary>As the ledger said last, or as it is borrowed; null where nothing was said, and then nothing is limited.</summary>
    public Money? Ceiling
    {
        get
        {
            lock (_lock)
                return _available;
        }
    }

    /// <summary>The ceiling, less what was used of it.</summary>
    public Money? Left
    {
        get
        {
            lock (_lock)
                return _available - _unwritten;
        }
    }

    /// <summary>Promised to requests under way, and lent to other gateways.</summary>
    public Money Promised
    {
        get
        {
            lock (_lock)
                return _reserved + _lent;
        }
    }

    private Money? Free => _available - _unwritten - _reserved - _lent;

    /// <summary>Promises money to a request, all of it or none.</summary>
    public bool TryReserve(Money money)
    {
        lock (_lock)
        {
            if (Free is { } free && free < money)
                return false;
            _reserved += money;
            return true;
        }
    }

    /// <summary>Takes a promise back, and notes what was used instead.</summary>
    public void Settle(Money reserved, Money used)
    {
        lock (_lock)
        {
            _reserved -= reserved;
            _unwritten += used;
        }
    }

    /// <summary>The ledger was read.</summary>
    /// <param name="available">As it says.</param>
    /// <param name="written">What of the use that was noted here it now knows of.</param>
    public void Renew(Money available, Money written)
    {
        lock (_lock)
        {
            _available = available;
            _unwritten = Money.Max(_unwritten - written, Money.Zero);
        }
    }

    public Money Room(DateTimeOffset now)
    {
        lock (_lock)
            return Free ?? Money.Zero;
    }

    public Money Lend(Func<Money, Money> decide, DateTimeOffset now)
    {
        lock (_lock)
        {
            if (Free is not { } free)
                return Money.Zero;
            var more = decide(Money.Max(Money.Zero, free));
            _lent += more;
            return more;
        }
    }

    /// <summary>What was spent is in the ledger, which is read before this.</summary>
    public void SpentElsewhere(Money spent, DateTimeOffset at, IReadOnlyDictionary<BudgetPeriod, Money> lent, DateTimeOffset now)
    {
        lock (_lock)
            _lent = lent.GetValueOrDefault(Period, _lent);
    }

    public void Borrow(BudgetPeriod period, DateTimeOffset began, Money money)
    {
        lock (_lock)
            _available = money;
    }

    public Money GiveBack(DateTimeOffset now)
    {
        lock (_lock)
        {
            var idle = Money.Max(Money.Zero, Free ?? Money.Zero);
            _available -= idle;
            return idle;
        }
    }

    public Money Lacks(Money money, DateTimeOffset now)
    {
        lock (_lock)
            return Free is { } free ? Money.Max(Money.Zero, money - free) : Money.Zero;
    }
}
