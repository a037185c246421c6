using Cairn.Contracts.Ids;
using Cairn.Contracts.Units;

namespace Cairn.Serving.Gateway.Limits;

/// <summary>
/// Names a purse: the id of the key or of the project whose money it is. Both are UUIDs, so neither is taken for the other.
/// </summary>
internal readonly record struct PurseId(Guid Value) : ITypedId<PurseId>
{
    public static PurseId From(Guid value) => new(value);

    public static implicit operator PurseId(KeyId key) => new(key.Value);

    public static implicit operator PurseId(ProjectId project) => new(project.Value);

    public override string ToString() => Value.ToString();
}

/// <summary>
/// Money that requests are let in by, and of which a server lends to gateways that run alone: a key's budget or a project's credits. At the
/// server it lends, at such a gateway it borrows. Safe for concurrent use.
/// </summary>
internal interface IPurse
{
    /// <summary>When it begins anew.</summary>
    BudgetPeriod Period { get; }

    /// <summary>What may be spent of it; null where nothing limits it. Where it borrows: what is borrowed in all, spent or not.</summary>
    Money? Ceiling { get; }

    /// <summary>
    /// What is neither spent nor reserved nor lent; less than zero where more was promised than there is now. Zero where nothing limits it.
    /// </summary>
    Money Room(DateTimeOffset now);

    /// <summary>Decides what is lent to another gateway, while nothing else is spent.</summary>
    /// <param name="decide">From what is left, zero or more, to how much more is lent.</param>
    /// <param name="now">The time.</param>
    Money Lend(Func<Money, Money> decide, DateTimeOffset now);

    /// <summary>Other gateways spent some of what was lent, or gave it back.</summary>
    /// <param name="spent">Counts in every period that is not over.</param>
    /// <param name="at">When it was spent.</param>
    /// <param name="lent">What is lent from now on, for each kind of period of which that is known.</param>
    /// <param name="now">The time.</param>
    void SpentElsewhere(Money spent, DateTimeOffset at, IReadOnlyDictionary<BudgetPeriod, Money> lent, DateTimeOffset now);

    /// <summary>Says what a server has lent for a period, spent or not.</summary>
    void Borrow(BudgetPeriod period, DateTimeOffset began, Money money);

    /// <summary>Parts with what is borrowed and neither spent nor reserved.</summary>
    /// <returns>How much it was.</returns>
    Money GiveBack(DateTimeOffset now);

    /// <summary>How much more it would need for a request of this cost; zero where it has it.</summary>
    Money Lacks(Money money, DateTimeOffset now);
}
