using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Cairn.Contracts.Ids;
using Cairn.Contracts.Units;
using Cairn.State;

namespace Cairn.Market.Ledger;

/// <summary>
/// The append-only book: transactions, their entries and the balance of each account, in the caller's own write. Nothing here is ever updated
/// but balances and the head; a correction is a reversing transaction. Each transaction's hash covers the one before it, so that a changed row
/// is found by <see cref="LedgerAudit"/>.
/// </summary>
internal sealed class LedgerBook
{
    public const string FirstHash = "";

    /// <summary>Raised when what a project has available changed.</summary>
    public const string Signal = "funds";

    public Money Balance(ReadSession session, Account account) =>
        new(session.QuerySingleOrDefault<long?>("SELECT balance FROM ledger_accounts WHERE name = @Name", account) ?? 0);

    /// <summary>What each project has available.</summary>
    public IReadOnlyDictionary<ProjectId, Money> AllAvailable(ReadSession session) => session
        .Query<AccountRow>("SELECT name, balance FROM ledger_accounts WHERE name LIKE 'project/%/available'")
        .ToDictionary(row => TypedId.Parse<ProjectId>(row.Name.Split('/')[1]), row => new Money(row.Balance));

    /// <summary>Posts transactions in order. Those whose key was posted before are passed over.</summary>
    /// <returns>How many were new.</returns>
    /// <exception cref="UnreachableException">A balance would fall below zero: the caller did not ask for it before.</exception>
    public int Post(WriteSession session, IReadOnlyList<LedgerTransaction> transactions)
    {
        var batch = new Batch(session);
        foreach (var transaction in transactions)
        {
            if (transaction.Entries.Count > 0)
                batch.Add(transaction);
        }

        return batch.Write();
    }

    /// <summary>The text that a transaction's hash is over.</summary>
    internal static string HashOf(string previous, long sequence, string key, string kind, long at, string? job, string? note, IEnumerable<(string Account, long Amount)> entries)
    {
        var text = new StringBuilder(256);
        text.Append(previous).Append('\n').Append(CultureInfo.InvariantCulture, $"{sequence}\n{key}\n{kind}\n{at}\n{job}\n{note}");
        foreach (var (account, amount) in entries)
            text.Append(CultureInfo.InvariantCulture, $"\n{account} {amount}");
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())));
    }

    /// <summary>Transactions of one write: each account and the head are read once and written once.</summary>
    private sealed class Batch(WriteSession session)
    {
        private readonly Dictionary<Account, AccountRow> _accounts = [];
        private readonly List<TransactionRow> _transactions = [];
        private readonly List<EntryRow> _entries = [];
        private HeadRow? _head;

        public void Add(LedgerTransaction transaction)
        {
            // The head's row is locked by the first change, so that on PostgreSQL too sequences and hashes follow one another.
            _head ??= session.QuerySingleOrDefault<HeadRow>("UPDATE ledger_head SET sequence = sequence WHERE id = 1 RETURNING sequence, hash")
                ?? throw new UnreachableException("The ledger has no head row.");
            if (session.QuerySingleOrDefault<long?>("SELECT sequence FROM ledger_transactions WHERE key = @Key", new { transaction.Key }) is not null
                || _transactions.Exists(row => row.Key == transaction.Key))
            {
                return;
            }

            var kind = transaction.Kind.ToString().ToLowerInvariant();
            var job = transaction.Job?.ToString();
            var sequence = _head.Sequence + 1;
            var hash = HashOf(
                _head.Hash, sequence, transaction.Key, kind, session.NowMicros, job, transaction.Note,
                transaction.Entries.Select(entry => (entry.Account.Name, entry.Amount.Micros)));
            _transactions.Add(new TransactionRow(sequence, transaction.Key, kind, job, session.NowMicros, transaction.Note, hash));
            _head = new HeadRow { Sequence = sequence, Hash = hash };
            for (var line = 0; line < transaction.Entries.Count; line++)
            {
                var entry = transaction.Entries[line];
                _entries.Add(new EntryRow(sequence, line, entry.Account.Name, entry.Amount.Micros));
                Change(entry, transaction.Key);
            }
        }

        public int Write()
        {
            if (_transactions.Count == 0)
                return 0;
            session.ExecuteMany(
                """
                INSERT INTO ledger_transactions (sequence, key, kind, job_id, at, note, hash)
                VALUES (@Sequence, @Key, @Kind, @JobId, @At, @Note, @Hash)
                """,
                _transactions);
            session.ExecuteMany("INSERT INTO ledger_entries (sequence, line, account, amount) VALUES (@Sequence, @Line, @Account, @Amount)", _entries);
            session.ExecuteMany(
                "INSERT INTO ledger_accounts (name, balance) VALUES (@Name, @Balance) ON CONFLICT (name) DO UPDATE SET balance = @Balance",
                [.. _accounts.Select(pair => new AccountRow { Name = pair.Key.Name, Balance = pair.Value.Balance })]);
            session.Execute("UPDATE ledger_head SET sequence = @Sequence, hash = @Hash WHERE id = 1", _head);
            if (_accounts.Keys.Any(account => account.IsAvailable))
                session.Signal(Signal);
            return _transactions.Count;
        }

        private void Change(Entry entry, string key)
        {
            if (!_accounts.TryGetValue(entry.Account, out var row))
            {
                row = new AccountRow
                {
                    Name = entry.Account.Name,
                    Balance = session.QuerySingleOrDefault<long?>("SELECT balance FROM ledger_accounts WHERE name = @Name", entry.Account) ?? 0,
                };
            }

            row = row with { Balance = checked(row.Balance + entry.Amount.Micros) };
            if (row.Balance < 0 && !entry.Account.MayGoNegative)
                throw new UnreachableException($"The transaction {key} would take {entry.Account} to {new Money(row.Balance)}.");
            _accounts[entry.Account] = row;
        }
    }

    private sealed record HeadRow
    {
        public long Sequence { get; init; }

        public string Hash { get; init; } = FirstHash;
    }

    private sealed record AccountRow
    {
        public string Name { get; init; } = "";

        public long Balance { get; init; }
    }

    private sealed record TransactionRow(long Sequence, string Key, string Kind, string? JobId, long At, string? Note, string Hash);

    private sealed record EntryRow(long Sequence, long Line, string Account, long Amount);
}
