using Cairn.Contracts.Ids;
using Cairn.Contracts.Problems;
using Cairn.Contracts.Units;
using Cairn.Market.Bills;
using Cairn.Market.Funds;
using Cairn.Market.Ledger;

namespace Cairn.Market.Tests;

public sealed class JobFundsTests
{
    private static readonly DateTimeOffset s_now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    private readonly ProjectId _project = ProjectId.New(s_now);
    private readonly JobId _job = JobId.New(s_now);
    private readonly LeaseId _lease = LeaseId.New(s_now);

    [Fact]
    public async Task A_job_holds_before_it_works_and_gets_the_rest_back()
    {
        await using var market = await MarketStore.OpenAsync();
        var funds = new JobFunds(new MarketOptions());
        await market.GrantAsync(funds, _project, Money.FromUsd(10));

        Assert.Null(await market.Store.WriteAsync(s => funds.Hold(s, _job, _project, Money.FromUsd(4)), default));
        Assert.Equal(Money.FromUsd(6), await market.BalanceAsync(Account.Available(_project)));

        await market.Store.WriteAsync(s => funds.Settle(s, [Compute(seconds: 1800, usdPerHour: 2)]), default);
        await market.Store.WriteAsync(s => funds.Close(s, [_job]), default);

        Assert.Equal(Money.FromUsd(9), await market.BalanceAsync(Account.Available(_project)));
        Assert.Equal(Money.Zero, await market.BalanceAsync(Account.Held(_project)));
        Assert.Equal(Money.FromUsd(1), await market.BalanceAsync(Account.Earned("io.net")));
        Assert.Empty(await market.AuditAsync());
    }

    [Fact]
    public async Task A_hold_beyond_the_balance_is_refused_and_changes_nothing()
    {
        await using var market = await MarketStore.OpenAsync();
        var funds = new JobFunds(new MarketOptions());
        await market.GrantAsync(funds, _project, Money.FromUsd(1));

        var problem = await market.Store.WriteAsync(s => funds.Hold(s, _job, _project, Money.FromUsd(1.000001m)), default);

        Assert.Equal(ProblemCodes.InsufficientFunds, problem?.Code);
        Assert.Equal(Money.FromUsd(1), await market.BalanceAsync(Account.Available(_project)));
    }

    [Fact]
    public async Task The_fee_comes_on_top_and_is_a_line_of_its_own()
    {
        await using var market = await MarketStore.OpenAsync();
        var funds = new JobFunds(new MarketOptions { FeePercent = 2.5m });
        await market.GrantAsync(funds, _project, Money.FromUsd(10));
        await market.Store.WriteAsync(s => funds.Hold(s, _job, _project, Money.FromUsd(4)), default);
        Assert.Equal(Money.FromUsd(4.1m), await market.BalanceAsync(Account.Held(_project)));

        await market.Store.WriteAsync(s => funds.Settle(s, [Compute(seconds: 3600, usdPerHour: 2)]), default);
        var charges = await market.Store.ReadAsync(s => BillReader.ReadJob(s, _job), default);

        Assert.Equal([Money.FromUsd(2), Money.FromUsd(0.05m)], charges.Lines.Select(line => line.Amount));
        Assert.Equal(Money.FromUsd(0.05m), await market.BalanceAsync(Account.Fees));
    }

    [Fact]
    public async Task Work_beyond_all_funds_is_paid_to_the_provider_and_written_off()
    {
        await using var market = await MarketStore.OpenAsync();
        var funds = new JobFunds(new MarketOptions());
        await market.GrantAsync(funds, _project, Money.FromUsd(1));
        await market.Store.WriteAsync(s => funds.Hold(s, _job, _project, Money.FromUsd(0.5m)), default);

        await market.Store.WriteAsync(s => funds.Settle(s, [Compute(seconds: 3600, usdPerHour: 3)]), default);

        Assert.Equal(Money.Zero, await market.BalanceAsync(Account.Available(_project)));
        Assert.Equal(Money.FromUsd(3), await market.BalanceAsync(Account.Earned("io.net")));
        Assert.Equal(Money.FromUsd(-2), await market.BalanceAsync(Account.WrittenOff));
        var bill = await market.Store.ReadAsync(s => BillReader.Read(s, _project, new DateOnly(2026, 3, 1), new DateOnly(2026, 3, 1), BillGrouping.Day), default);
        Assert.Equal(Money.FromUsd(1), Assert.Single(bill).Total);
        Assert.Empty(await market.AuditAsync());
    }

    [Fact]
    public async Task A_bill_adds_up_the_same_by_job_provider_and_day()
    {
        await using var market = await MarketStore.OpenAsync();
        var funds = new JobFunds(new MarketOptions { FeePercent = 3 });
        await market.GrantAsync(funds, _project, Money.FromUsd(1000));
        var random = new Random(7);
        for (var i = 0; i < 30; i++)
        {
            var usage = Compute(random.Next(1, 9999), random.Next(1, 9)) with
            {
                Job = JobId.New(s_now), Lease = LeaseId.New(s_now), Provider = $"p{i % 4}", AtMicros = Micros(s_now.AddDays(i % 3)),
            };
            await market.Store.WriteAsync(s => funds.Settle(s, [usage]), default);
        }

        var sums = new List<Money>();
        foreach (var by in Enum.GetValues<BillGrouping>())
        {
            var rows = await market.Store.ReadAsync(s => BillReader.Read(s, null, new DateOnly(2026, 3, 1), new DateOnly(2026, 3, 9), by), default);
            Assert.All(rows, row => Assert.Equal(row.Total, row.Compute + row.Storage + row.Egress + row.Fees));
            sums.Add(rows.Aggregate(Money.Zero, (sum, row) => sum + row.Total));
        }

        var balance = await market.Store.ReadAsync(s => BillReader.ReadBalance(s, _project, "default"), default);
        Assert.All(sums, sum => Assert.Equal(balance.Spent, sum));
    }

    [Fact]
    public async Task Sixty_four_holds_at_once_on_a_balance_for_one_let_one_through()
    {
        await using var market = await MarketStore.OpenAsync();
        var funds = new JobFunds(new MarketOptions());
        await market.GrantAsync(funds, _project, Money.FromUsd(1));

        var problems = await Task.WhenAll(Enumerable.Range(0, 64).Select(_ => Task.Run(() =>
            market.Store.WriteAsync(s => funds.Hold(s, JobId.New(s_now), _project, Money.FromUsd(1)), default))));

        Assert.Equal(1, problems.Count(problem => problem is null));
        Assert.Empty(await market.AuditAsync());
    }

    [Fact]
    public async Task A_changed_row_is_found_and_named()
    {
        await using var market = await MarketStore.OpenAsync();
        var funds = new JobFunds(new MarketOptions());
        await market.GrantAsync(funds, _project, Money.FromUsd(1), "one");
        await market.GrantAsync(funds, _project, Money.FromUsd(2), "two");
        await market.Store.WriteAsync(s => s.Execute("UPDATE ledger_transactions SET note = 'changed' WHERE sequence = 1"), default);

        Assert.Contains("Transaction 1", Assert.Single(await market.AuditAsync()), StringComparison.Ordinal);
    }

    private Usage Compute(long seconds, decimal usdPerHour) => new()
    {
        Lease = _lease, Job = _job, Project = _project, Kind = ChargeKind.Compute, Provider = "io.net", Region = "eu", Description = "rank 0 on a",
        UnitPrice = Money.FromUsd(usdPerHour), Quantity = seconds * 1_000_000, Total = HourlyPrice.FromUsd(usdPerHour).CostOf(seconds * 1_000_000), AtMicros = Micros(s_now),
    };

    private static long Micros(DateTimeOffset time) => (time - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
}
