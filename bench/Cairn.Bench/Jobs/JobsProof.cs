using Cairn.Bench.Figures;
using Cairn.Bench.Simulated;
using Cairn.Contracts.Units;
using Microsoft.Data.Sqlite;

namespace Cairn.Bench.Jobs;

/// <summary>
/// Looks in the rows that a killed server left: every accepted job is there once and succeeded at its first attempt, every charge is the floor of
/// price × time, and the ledger, the charges, the leases and the jobs name one sum.
/// </summary>
internal static class JobsProof
{
    public static List<string> Check(string database, IReadOnlyCollection<string> accepted, EchoCount count)
    {
        var faults = new List<string>();
        using var rows = new SqliteConnection($"Data Source={database};Mode=ReadWrite");
        rows.Open();
        CheckJobs(rows, accepted, faults);
        CheckMoney(rows, faults);
        Expect(faults, "tasks that were started", count.StartedTasks, accepted.Count);
        Expect(faults, "tasks that were started twice", count.StartedTwice, 0);
        Expect(faults, "answers of an old epoch", count.StaleAnswers, 0);
        return faults;
    }

    private static void CheckJobs(SqliteConnection rows, IReadOnlyCollection<string> accepted, List<string> faults)
    {
        var left = accepted.ToHashSet(StringComparer.Ordinal);
        Expect(faults, "ids among the answers", left.Count, accepted.Count);
        using var command = rows.CreateCommand();
        command.CommandText = "SELECT j.id, j.phase, j.attempt, (SELECT COUNT(*) FROM tasks t WHERE t.job_id = j.id) FROM jobs j";
        using var reader = command.ExecuteReader();
        while (reader.Read())
        {
            if (!left.Remove(reader.GetString(0)))
                faults.Add($"The job {reader.GetString(0)} is in the rows and was never answered.");
            else if (reader.GetString(1) != "succeeded" || reader.GetInt64(2) != 1 || reader.GetInt64(3) != 1)
                faults.Add($"The job {reader.GetString(0)} is {reader.GetString(1)} after {reader.GetInt64(2)} attempts with {reader.GetInt64(3)} tasks.");
        }

        faults.AddRange(left.Select(id => $"The accepted job {id} is not in the rows."));
    }

    private static void CheckMoney(SqliteConnection rows, List<string> faults)
    {
        long expected = 0;
        using (var command = rows.CreateCommand())
        {
            command.CommandText = "SELECT price, billed_micros FROM tasks";
            using var reader = command.ExecuteReader();
            while (reader.Read())
                expected += new HourlyPrice(reader.GetInt64(0)).CostOf(reader.GetInt64(1)).Micros;
        }

        if (expected == 0)
            faults.Add("Nothing was billed.");
        Console.WriteLine(FigureRow.Text($"  billed {new Money(expected)}, in {Sum(rows, "SELECT COUNT(*) FROM ledger_transactions"):N0} ledger transactions"));
        Expect(faults, "micro-dollars charged", Sum(rows, "SELECT SUM(amount) FROM charges"), expected);
        Expect(faults, "micro-dollars on the jobs", Sum(rows, "SELECT SUM(cost) FROM jobs"), expected);
        Expect(faults, "micro-dollars earned by the provider", Sum(rows, "SELECT SUM(balance) FROM ledger_accounts WHERE name = 'provider/simulated/earned'"), expected);
        Expect(faults, "micro-dollars still held", Sum(rows, "SELECT SUM(balance) FROM ledger_accounts WHERE name LIKE '%/held'"), 0);
        Expect(faults, "micro-dollars in the whole ledger", Sum(rows, "SELECT SUM(balance) FROM ledger_accounts"), 0);
        Expect(faults, "micro-dollars of all entries", Sum(rows, "SELECT SUM(amount) FROM ledger_entries"), 0);
    }

    private static long Sum(SqliteConnection rows, string sql)
    {
        using var command = rows.CreateCommand();
        command.CommandText = sql;
        return command.ExecuteScalar() is long sum ? sum : 0;
    }

    private static void Expect(List<string> faults, string what, long found, long expected)
    {
        if (found != expected)
            faults.Add(FigureRow.Text($"{found:N0} {what}; expected {expected:N0}."));
    }
}
