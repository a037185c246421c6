using Cairn.Contracts.Api;
using Cairn.Contracts.Ids;
using Cairn.Contracts.Units;
using Cairn.Market.Funds;
using Cairn.Market.Ledger;
using Cairn.State;

namespace Cairn.Market.Bills;

/// <summary>What charges are grouped by.</summary>
public enum BillGrouping
{
    Job,
    Project,
    Provider,
    Day,
}

/// <summary>Reads what was charged. Every sum is exact: it is the sum of the same micro-dollars that the ledger moved.</summary>
public static class BillReader
{
    private const double MicrosPerHour = 3_600_000_000;
    private const double BytesPerGigabyte = 1e9;
    private const double HoursPerMonth = 730;

    /// <summary>Charges of whole days, grouped.</summary>
    /// <param name="session">Where to read.</param>
    /// <param name="project">Null reads all projects.</param>
    /// <param name="from">The first day, UTC.</param>
    /// <param name="to">The last day, UTC.</param>
    /// <param name="by">How to group; <see cref="BillRow.Key"/> is then a job's id, a project's id, a provider or a day.</param>
    public static IReadOnlyList<BillRow> Read(ReadSession session, ProjectId? project, DateOnly from, DateOnly to, BillGrouping by)
    {
        ArgumentNullException.ThrowIfNull(session);
        var column = by switch
        {
            BillGrouping.Job => "job_id",
            BillGrouping.Project => "project_id",
            BillGrouping.Provider => "provider",
            _ => "CAST(day AS TEXT)",
        };
        var rows = session.Query<GroupRow>(
            $"""
            SELECT {column} AS key,
                CAST(SUM(CASE WHEN kind = 'compute' THEN amount ELSE 0 END) AS BIGINT) AS compute,
                CAST(SUM(CASE WHEN kind = 'storage' THEN amount ELSE 0 END) AS BIGINT) AS storage,
                CAST(SUM(CASE WHEN kind = 'egress' THEN amount ELSE 0 END) AS BIGINT) AS egress,
                CAST(SUM(CASE WHEN kind = 'fee' THEN amount ELSE 0 END) AS BIGINT) AS fees,
                CAST(SUM(amount) AS BIGINT) AS total,
                CAST(SUM(written_off) AS BIGINT) AS written_off,
                CAST(SUM(CASE WHEN kind = 'compute' THEN quantity ELSE 0 END) AS BIGINT) AS micros
            FROM charges
            WHERE day >= @From AND day <= @To AND (@Project = '' OR project_id = @Project)
            GROUP BY {column} ORDER BY {column}
            """,
            new { From = DayNumber(from), To = DayNumber(to), Project = project?.ToString() ?? "" });
        var charged = rows.ToDictionary(row => row.Key, row => new BillRow(
            by == BillGrouping.Day ? Day(long.Parse(row.Key, System.Globalization.CultureInfo.InvariantCulture)) : row.Key,
            by == BillGrouping.Job ? TypedId.Parse<JobId>(row.Key) : null,
            new Money(row.Compute), new Money(row.Storage), new Money(row.Egress), new Money(row.Fees), new Money(row.Total - row.WrittenOff),
            row.Micros / MicrosPerHour));
        foreach (var (key, amount, writtenOff) in InferenceBill.Sums(session, project, DayNumber(from), DayNumber(to), by))
        {
            var name = by == BillGrouping.Day ? Day(long.Parse(key, System.Globalization.CultureInfo.InvariantCulture)) : key;
            var row = charged.GetValueOrDefault(key) ?? new BillRow(name, null, Money.Zero, Money.Zero, Money.Zero, Money.Zero, Money.Zero, 0);
            charged[key] = row with { Inference = new Money(amount), Total = row.Total + new Money(amount - writtenOff) };
        }

        // Days stay in their order though one of them brought nothing but inference.
        return by == BillGrouping.Day ? [.. charged.Values.OrderBy(row => row.Key, StringComparer.Ordinal)] : [.. charged.Values];
    }

    /// <summary>What the use of models was charged in whole days: a line per model and who answered, priced per million tokens.</summary>
    public static IReadOnlyList<InvoiceLine> ReadInference(ReadSession session, ProjectId? project, DateOnly from, DateOnly to)
    {
        ArgumentNullException.ThrowIfNull(session);
        return InferenceBill.Lines(session, project, DayNumber(from), DayNumber(to));
    }

    /// <summary>One job's charges, line by line, and what of them the platform bore.</summary>
    public static JobCharges ReadJob(ReadSession session, JobId job)
    {
        ArgumentNullException.ThrowIfNull(session);
        var rows = session.Query<ChargeRow>(
            """
            SELECT kind, description, provider, region, unit_price, CAST(SUM(quantity) AS BIGINT) AS quantity, CAST(SUM(amount) AS BIGINT) AS amount,
                CAST(SUM(written_off) AS BIGINT) AS written_off, MAX(CASE WHEN simulated THEN 1 ELSE 0 END) AS simulated
            FROM charges WHERE job_id = @Job
            GROUP BY lease_id, kind, description, provider, region, unit_price ORDER BY kind, description
            """,
            new { Job = job });
        var closed = session.QuerySingleOrDefault<bool?>("SELECT closed FROM job_funds WHERE job_id = @Job", new { Job = job }) ?? false;
        var writtenOff = new Money(rows.Sum(row => row.WrittenOff));
        return new JobCharges([.. rows.Select(Line)], writtenOff, rows.Any(row => row.Simulated > 0), closed);
    }

    /// <summary>What a project was granted, has, holds and has spent.</summary>
    public static BalanceView ReadBalance(ReadSession session, ProjectId project, string projectName)
    {
        ArgumentNullException.ThrowIfNull(session);
        var book = new LedgerBook();
        var available = book.Balance(session, Account.Available(project));
        var held = book.Balance(session, Account.Held(project));
        var granted = new Money(session.Scalar<long>(
            """
            SELECT CAST(COALESCE(SUM(e.amount), 0) AS BIGINT) FROM ledger_entries e JOIN ledger_transactions t ON t.sequence = e.sequence
            WHERE t.kind = 'grant' AND e.account = @Name
            """,
            Account.Available(project)));
        return new BalanceView(projectName, granted, available, held, granted - available - held);
    }

    /// <summary>Proves the ledger; empty when all is well, else what is wrong in words.</summary>
    public static IReadOnlyList<string> Audit(ReadSession session) => LedgerAudit.Run(session);

    private static InvoiceLine Line(ChargeRow row)
    {
        var (quantity, unit) = row.Kind switch
        {
            ChargeKind.Compute or ChargeKind.Fee => (row.Quantity / 1e6, "s"),
            ChargeKind.Storage => (row.Quantity / BytesPerGigabyte / HoursPerMonth, "GB-month"),
            _ => (row.Quantity / BytesPerGigabyte, "GB"),
        };
        return new InvoiceLine(
            row.Kind.ToString().ToLowerInvariant(), row.Description, row.Provider, quantity, unit, new Money(row.UnitPrice).Usd, new Money(row.Amount));
    }

    private static long DayNumber(DateOnly day) => day.DayNumber - DateOnly.FromDateTime(DateTime.UnixEpoch).DayNumber;

    private static string Day(long number) =>
        DateOnly.FromDateTime(DateTime.UnixEpoch).AddDays((int)number).ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture);

    private sealed record GroupRow
    {
        public string Key { get; init; } = "";

        public long Compute { get; init; }

        public long Storage { get; init; }

        public long Egress { get; init; }

        public long Fees { get; init; }

        public long Total { get; init; }

        public long WrittenOff { get; init; }

        public long Micros { get; init; }
    }

    private sealed record ChargeRow
    {
        public ChargeKind Kind { get; init; }

        public string Description { get; init; } = "";

        public string Provider { get; init; } = "";

        public string Region { get; init; } = "";

        public long UnitPrice { get; init; }

        public long Quantity { get; init; }

        public long Amount { get; init; }

        public long WrittenOff { get; init; }

        public long Simulated { get; init; }
    }
}

/// <param name="Lines">Itemised, as charged.</param>
/// <param name="WrittenOff">The part that the project's funds did not cover and the platform bore.</param>
/// <param name="Simulated">Whether a simulated device or a played place was involved.</param>
/// <param name="Closed">Whether the last second is settled and the rest of the hold given back.</param>
public sealed record JobCharges(IReadOnlyList<InvoiceLine> Lines, Money WrittenOff, bool Simulated, bool Closed);
