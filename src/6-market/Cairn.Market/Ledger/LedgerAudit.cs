using Cairn.State;

namespace Cairn.Market.Ledger;

/// <summary>
/// Proves the book: (1) every transaction adds up to zero, (2) every balance is the sum of its entries, (3) no balance is below zero that may not
/// be, (4) the chain of hashes is whole. Reads the whole book.
/// </summary>
internal static class LedgerAudit
{
    /// <returns>What is wrong, in words that name the row; empty when all is well.</returns>
    public static IReadOnlyList<string> Run(ReadSession session)
    {
        var findings = new List<string>();

        // (1)
        foreach (var (sequence, sum) in session.Query<(long, long)>(
            "SELECT sequence, CAST(SUM(amount) AS BIGINT) FROM ledger_entries GROUP BY sequence HAVING SUM(amount) <> 0"))
        {
            findings.Add($"Transaction {sequence} adds up to {sum} micro-dollars instead of 0.");
        }

        // (2)
        foreach (var (name, balance, sum) in session.Query<(string, long, long)>(
            """
            SELECT a.name, a.balance, CAST(COALESCE(SUM(e.amount), 0) AS BIGINT)
            FROM ledger_accounts a LEFT JOIN ledger_entries e ON e.account = a.name
            GROUP BY a.name, a.balance HAVING a.balance <> COALESCE(SUM(e.amount), 0)
            """))
        {
            findings.Add($"The account {name} says {balance} micro-dollars; its entries add up to {sum}.");
        }

        // (3)
        foreach (var (name, balance) in session.Query<(string, long)>("SELECT name, balance FROM ledger_accounts WHERE balance < 0"))
        {
            if (!new Account(name).MayGoNegative)
                findings.Add($"The account {name} is at {balance} micro-dollars, below zero.");
        }

        // (4)
        CheckChain(session, findings);
        return findings;
    }

    private static void CheckChain(ReadSession session, List<string> findings)
    {
        var entries = session.Query<(long Sequence, string Account, long Amount)>("SELECT sequence, account, amount FROM ledger_entries ORDER BY sequence, line")
            .ToLookup(entry => entry.Sequence, entry => (entry.Account, entry.Amount));
        var previous = LedgerBook.FirstHash;
        long expected = 1;
        foreach (var row in session.Query<ChainRow>("SELECT sequence, key, kind, job_id, at, note, hash FROM ledger_transactions ORDER BY sequence"))
        {
            if (row.Sequence != expected)
            {
                findings.Add($"Transaction {expected} is missing; the next one is {row.Sequence}.");
                return;
            }

            var hash = LedgerBook.HashOf(previous, row.Sequence, row.Key, row.Kind, row.At, row.JobId, row.Note, entries[row.Sequence]);
            if (hash != row.Hash)
            {
                findings.Add($"Transaction {row.Sequence} ({row.Key}) is not what was posted: its hash differs.");
                return;
            }

            previous = row.Hash;
            expected++;
        }

        var head = session.Scalar<string>("SELECT hash FROM ledger_head WHERE id = 1");
        if (head != previous)
            findings.Add($"The book ends with transaction {expected - 1}, but its head knows of later ones.");
    }

    private sealed record ChainRow
    {
        public long Sequence { get; init; }

        public string Key { get; init; } = "";

        public string Kind { get; init; } = "";

        public string? JobId { get; init; }

        public long At { get; init; }

        public string? Note { get; init; }

        public string Hash { get; init; } = "";
    }
}
