using System.Diagnostics;
using Cairn.Contracts.Ids;
using Cairn.Contracts.Units;

namespace Cairn.Market.Ledger;

internal enum TransactionKind
{
    /// <summary>Credits from an admin.</summary>
    Grant,

    /// <summary>Funds set aside for a job before it works.</summary>
    Hold,

    /// <summary>Use turned into charges.</summary>
    Charge,

    /// <summary>Held funds given back.</summary>
    Release,

    /// <summary>Use of models turned into charges.</summary>
    Inference,
}

/// <param name="Account">Whose balance changes.</param>
/// <param name="Amount">By how much; never zero.</param>
internal readonly record struct Entry(Account Account, Money Amount);

/// <summary>Entries that add up to zero, posted together or not at all.</summary>
internal sealed record LedgerTransaction
{
    private LedgerTransaction(string key, TransactionKind kind, JobId? job, string? note, IReadOnlyList<Entry> entries)
    {
        Debug.Assert(entries.Sum(entry => entry.Amount.Micros) == 0, $"The entries of {key} do not add up to zero.");
        (Key, Kind, Job, Note, Entries) = (key, kind, job, note, entries);
    }

    /// <summary>Names the business event. A second transaction with the same key is the first one sent again, and changes nothing.</summary>
    public string Key { get; }

    public TransactionKind Kind { get; }

    public JobId? Job { get; }

    public string? Note { get; }

    public IReadOnlyList<Entry> Entries { get; }

    public static LedgerTransaction Grant(string key, ProjectId project, Money amount, string? note) =>
        new(key, TransactionKind.Grant, null, note, Nonzero([new(Account.ExternalCredits, -amount), new(Account.Available(project), amount)]));

    public static LedgerTransaction Hold(string key, JobId job, ProjectId project, Money amount) =>
        new(key, TransactionKind.Hold, job, null, Nonzero([new(Account.Available(project), -amount), new(Account.Held(project), amount)]));

    public static LedgerTransaction Release(string key, JobId job, ProjectId project, Money amount) =>
        new(key, TransactionKind.Release, job, null, Nonzero([new(Account.Held(project), -amount), new(Account.Available(project), amount)]));

    /// <summary>Moves what a job used from where <paramref name="source"/> says to the providers and the platform.</summary>
    public static LedgerTransaction Charge(string key, JobId job, ProjectId project, in ChargeSource source, IReadOnlyList<(string Provider, Money Amount)> earned, Money fee)
    {
        var entries = new List<Entry>
        {
            new(Account.Held(project), -source.FromHeld), new(Account.Available(project), -source.FromAvailable), new(Account.WrittenOff, -source.WrittenOff),
            new(Account.Fees, fee),
        };
        entries.AddRange(earned.Select(part => new Entry(Account.Earned(part.Provider), part.Amount)));
        return new(key, TransactionKind.Charge, job, null, Nonzero(entries));
    }

    /// <summary>Moves what a project's keys used of models to whoever answered.</summary>
    public static LedgerTransaction Inference(string key, ProjectId project, in ChargeSource source, IReadOnlyList<(Account Account, Money Amount)> earned)
    {
        var entries = new List<Entry> { new(Account.Available(project), -source.FromAvailable), new(Account.WrittenOff, -source.WrittenOff) };
        entries.AddRange(earned.Select(part => new Entry(part.Account, part.Amount)));
        return new(key, TransactionKind.Inference, null, null, Nonzero(entries));
    }

    private static List<Entry> Nonzero(IEnumerable<Entry> entries) => [.. entries.Where(entry => entry.Amount != Money.Zero)];
}

/// <summary>
/// Where the money for a charge comes from. Held funds pay first, then what is available; only work that was done while nobody could stop it can cost
/// more than both, and that part is written off.
/// </summary>
internal readonly record struct ChargeSource(Money FromHeld, Money FromAvailable, Money WrittenOff)
{
    public static ChargeSource For(Money charge, Money held, Money available)
    {
        var fromHeld = Money.Min(charge, held);
        var fromAvailable = Money.Min(charge - fromHeld, available);
        return new ChargeSource(fromHeld, fromAvailable, charge - fromHeld - fromAvailable);
    }

    public Money Paid => FromHeld + FromAvailable;
}
