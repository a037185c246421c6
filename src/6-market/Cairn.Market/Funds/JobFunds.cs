using Cairn.Contracts.Ids;
using Cairn.Contracts.Problems;
using Cairn.Contracts.Units;
using Cairn.Market.Ledger;
using Cairn.State;

namespace Cairn.Market.Funds;

/// <summary>
/// Holds funds before work, charges use against them, gives back the rest. Every call runs inside the caller's write, so that a job and its
/// money become durable together; every call may come again and then has no further effect.
/// </summary>
/// <remarks>
/// Invariants: held(job) ≥ 0; the sum of held over open jobs of a project is the balance of its <c>held</c> account; a closed job holds
/// nothing; drawn(job) = Σ amount of its charges − Σ written off.
/// </remarks>
public sealed class JobFunds
{
    private const long MicrosPerDay = 86_400_000_000;

    private readonly LedgerBook _book = new();
    private readonly MarketOptions _options;

    public JobFunds(MarketOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        _options = options;
    }

    /// <summary>Makes sure that at least <paramref name="unspent"/>, and the fee on it, is held for the job beyond what it has used.</summary>
    /// <returns>Null once held; else <see cref="ProblemCodes.InsufficientFunds"/>, and nothing changed.</returns>
    public Problem? Hold(WriteSession session, JobId job, ProjectId project, Money unspent)
    {
        ArgumentNullException.ThrowIfNull(session);
        ArgumentOutOfRangeException.ThrowIfNegative(unspent.Micros);
        var funds = Find(session, job);
        var wanted = unspent + Fee(unspent) - (funds?.HeldMoney ?? Money.Zero);
        if (wanted > Money.Zero)
        {
            var available = _book.Balance(session, Account.Available(project));
            if (available < wanted)
            {
                return new Problem(ProblemCodes.InsufficientFunds,
                    $"The project has {available} available and this needs {wanted} more held before it works. An admin can grant credits: cairn projects grant PROJECT USD.");
            }
        }
        else
        {
            wanted = Money.Zero;
        }

        var number = (funds?.Holds ?? 0) + 1;
        if (wanted > Money.Zero)
            _book.Post(session, [LedgerTransaction.Hold($"hold/{job}/{number}", job, project, wanted)]);
        if (funds is null || wanted > Money.Zero)
        {
            session.Execute(
                """
                INSERT INTO job_funds (job_id, project_id, held, drawn, holds, closed) VALUES (@Job, @Project, @Wanted, 0, @Number, FALSE)
                ON CONFLICT (job_id) DO UPDATE SET held = job_funds.held + @Wanted, holds = @Number, closed = FALSE
                """,
                new { Job = job, Project = project, Wanted = wanted.Micros, Number = number });
        }

        return null;
    }

    /// <summary>Charges what leases have used since their last settlement, in the given order.</summary>
    public void Settle(WriteSession session, IReadOnlyList<Usage> usages)
    {
        ArgumentNullException.ThrowIfNull(session);
        ArgumentNullException.ThrowIfNull(usages);
        foreach (var ofJob in usages.GroupBy(usage => usage.Job))
            SettleJob(session, ofJob.Key, [.. ofJob]);
    }

    /// <summary>Gives back what is still held for jobs that have ended and whose last use was settled.</summary>
    public void Close(WriteSession session, IReadOnlyList<JobId> jobs)
    {
        ArgumentNullException.ThrowIfNull(session);
        ArgumentNullException.ThrowIfNull(jobs);
        var releases = new List<LedgerTransaction>();
        foreach (var job in jobs)
        {
            if (Find(session, job) is not { Closed: false } funds)
                continue;
            if (funds.Held > 0)
                releases.Add(LedgerTransaction.Release($"release/{job}/{funds.Holds}", job, funds.ProjectId, funds.HeldMoney));
            session.Execute("UPDATE job_funds SET held = 0, closed = TRUE WHERE job_id = @Job", new { Job = job });
        }

        _book.Post(session, releases);
    }

    /// <summary>Grants credits. The same key again changes nothing.</summary>
    public void Grant(WriteSession session, string key, ProjectId project, Money amount, string? note)
    {
        ArgumentNullException.ThrowIfNull(session);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(amount.Micros);
        _book.Post(session, [LedgerTransaction.Grant("grant/" + key, project, amount, note)]);
    }

    private void SettleJob(WriteSession session, JobId job, IReadOnlyList<Usage> usages)
    {
        var project = usages[0].Project;
        var lines = new List<NewCharge>();
        foreach (var usage in usages)
        {
            if (Charge(session, usage) is not { } line)
                continue;
            lines.Add(line);
            if (usage.Kind == ChargeKind.Compute && _options.FeePercent > 0 && Charge(session, FeeOn(usage)) is { } fee)
                lines.Add(fee);
        }

        var charge = lines.Aggregate(Money.Zero, (sum, line) => sum + line.Amount);
        if (lines.Count == 0)
            return;
        var funds = Find(session, job) ?? new FundsRow { JobId = job, ProjectId = project };
        var source = ChargeSource.For(charge, funds.HeldMoney, _book.Balance(session, Account.Available(project)));
        if (charge > Money.Zero)
        {
            var earned = lines.Where(line => line.Usage.Kind != ChargeKind.Fee).GroupBy(line => line.Usage.Provider)
                .Select(part => (part.Key, part.Aggregate(Money.Zero, (sum, line) => sum + line.Amount))).ToList();
            var fee = lines.Where(line => line.Usage.Kind == ChargeKind.Fee).Aggregate(Money.Zero, (sum, line) => sum + line.Amount);
            var last = lines[^1].Usage;
            _book.Post(session, [LedgerTransaction.Charge($"charge/{last.Lease}/{last.Kind}/{last.Quantity}/{last.Total.Micros}", job, project, source, earned, fee)]);
        }

        WriteCharges(session, lines, source.WrittenOff);
        session.Execute(
            """
            INSERT INTO job_funds (job_id, project_id, held, drawn, holds, closed) VALUES (@Job, @Project, 0, @Paid, 0, FALSE)
            ON CONFLICT (job_id) DO UPDATE SET held = job_funds.held - @FromHeld, drawn = job_funds.drawn + @Paid
            """,
            new { Job = job, Project = project, Paid = source.Paid.Micros, FromHeld = source.FromHeld.Micros });
    }

    /// <summary>What of a usage was not charged before; null where nothing is new.</summary>
    private static NewCharge? Charge(WriteSession session, Usage usage)
    {
        var (quantity, amount, count) = session.QuerySingleOrDefault<(long, long, long)>(
            """
            SELECT CAST(COALESCE(SUM(quantity), 0) AS BIGINT), CAST(COALESCE(SUM(amount), 0) AS BIGINT), COUNT(*)
            FROM charges WHERE lease_id = @Lease AND kind = @Kind
            """,
            new { usage.Lease, usage.Kind });
        var newQuantity = usage.Quantity - quantity;
        var newAmount = usage.Total - new Money(amount);

        // A late report of less than was charged charges nothing: what was charged stands.
        return newQuantity < 0 || newAmount < Money.Zero || (newQuantity == 0 && newAmount == Money.Zero && count > 0)
            ? null
            : new NewCharge(usage, newQuantity, newAmount);
    }

    private Usage FeeOn(Usage compute) => compute with { Kind = ChargeKind.Fee, Total = Fee(compute.Total), Description = $"{_options.FeePercent} % of {compute.Description}" };

    private Money Fee(Money compute) => new((long)Math.Floor(compute.Micros * (_options.FeePercent / 100m)));

    private static void WriteCharges(WriteSession session, List<NewCharge> lines, Money writtenOff)
    {
        for (var i = 0; i < lines.Count; i++)
        {
            var (usage, quantity, amount) = lines[i];

            // What nobody paid is noted at the last lines, which is where the money ran out.
            var unpaid = i == lines.Count - 1 ? writtenOff : Money.Zero;
            session.Execute(
                """
                INSERT INTO charges (lease_id, kind, day, job_id, project_id, provider, region, description, unit_price, quantity, amount, written_off, simulated)
                VALUES (@Lease, @Kind, @Day, @Job, @Project, @Provider, @Region, @Description, @UnitPrice, @Quantity, @Amount, @WrittenOff, @Simulated)
                ON CONFLICT (lease_id, kind, day) DO UPDATE SET quantity = charges.quantity + @Quantity, amount = charges.amount + @Amount,
                    written_off = charges.written_off + @WrittenOff
                """,
                new
                {
                    usage.Lease, usage.Kind, Day = usage.AtMicros / MicrosPerDay, usage.Job, usage.Project, usage.Provider, usage.Region, usage.Description,
                    usage.UnitPrice, Quantity = quantity, Amount = amount.Micros, WrittenOff = unpaid.Micros, usage.Simulated,
                });
        }
    }

    private static FundsRow? Find(ReadSession session, JobId job) =>
        session.QuerySingleOrDefault<FundsRow>("SELECT job_id, project_id, held, drawn, holds, closed FROM job_funds WHERE job_id = @Job", new { Job = job });

    private sealed record NewCharge(Usage Usage, long Quantity, Money Amount);

    private sealed record FundsRow
    {
        public JobId JobId { get; init; }

        public ProjectId ProjectId { get; init; }

        public long Held { get; init; }

        public long Drawn { get; init; }

        public long Holds { get; init; }

        public bool Closed { get; init; }

        public Money HeldMoney => new(Held);
    }
}
