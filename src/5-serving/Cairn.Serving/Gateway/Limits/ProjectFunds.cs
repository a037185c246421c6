using Cairn.Contracts.Units;

namespace Cairn.Serving.Gateway.Limits;

/// <summary>
/// What a project can still spend on models: what the ledger had available when it was last read, less what was used since and is not in the ledger yet, less what is promised
/// to requests under way. Never less than zero, but where the ledger says less than before: what is promised then is answered all the same.
/// </summary>
internal sealed class ProjectFunds
{
    private readonly Lock _lock = new();
    private Money? _available;
    private Money _unwritten;
    private Money _reserved;

    /// <summary>As the ledger said last, less what it does not know of yet; null where nothing was said, and then nothing is limited.</summary>
    public Money? Left
    {
        get
        {
            lock (_lock)
                return _available - _unwritten;
        }
    }

    /// <summary>Promised to requests under way.</summary>
    public Money Reserved
    {
        get
        {
            lock (_lock)
                return _reserved;
        }
    }

    /// <summary>Promises money to a request, all of it or none.</summary>
    public bool TryReserve(Money money)
    {
        lock (_lock)
        {
            if (_available is { } available && available - _unwritten - _reserved < money)
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
}
