using Cairn.Contracts.Ids;
using Cairn.Contracts.Units;
using Cairn.Market.Bills;
using Cairn.Market.Funds;
using Cairn.Market.Inference;
using Cairn.Market.Ledger;
using CsCheck;

namespace Cairn.Market.Tests;

public sealed class InferenceFundsTests
{
    private static readonly DateTimeOffset s_now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly DateOnly s_day = new(2026, 3, 1);
    private readonly ProjectId _project = ProjectId.New(s_now);
    private readonly KeyId _key = KeyId.New(s_now);
    private readonly EndpointId _endpoint = EndpointId.New(s_now);
    private readonly InferenceFunds _funds = new();

    [Fact]
    public async Task Use_moves_from_the_project_to_whoever_answered_once_per_batch()
    {
        await using var market = await MarketStore.OpenAsync();
        await market.GrantAsync(new JobFunds(new MarketOptions()), _project, Money.FromUsd(10));
        InferenceUse[] uses = [Use(1.5m), Use(0.25m) with { Endpoint = null, Provider = "acme" }, Use(0) with { Model = "free" }];

        for (var i = 0; i < 3; i++)
            await market.Store.WriteAsync(s => _funds.Charge(s, "batch-1", s_now, uses), default);

        Assert.Equal(Money.FromUsd(8.25m), await market.BalanceAsync(Account.Available(_project)));
        Assert.Equal(Money.FromUsd(1.5m), await market.BalanceAsync(Account.Served(_endpoint)));
        Assert.Equal(Money.FromUsd(0.25m), await market.BalanceAsync(Account.Earned("acme")));
        Assert.Empty(await market.AuditAsync());
    }

    [Fact]
    public async Task A_bill_has_a_line_per_model_priced_per_million_tokens()
    {
        await using var market = await MarketStore.OpenAsync();
        await market.GrantAsync(new JobFunds(new MarketOptions()), _project, Money.FromUsd(10));
        await market.Store.WriteAsync(s => _funds.Charge(s, "a", s_now, [Use(1), Use(0.5m) with { Model = "other" }]), default);
        await market.Store.WriteAsync(s => _funds.Charge(s, "b", s_now, [Use(1)]), default);

        var lines = await market.Store.ReadAsync(s => BillReader.ReadInference(s, _project, s_day, s_day), default);
        Assert.Equal([("tiny: 6 requests, 400,000 tokens in, 100,000 out", 0.5, 4m, Money.FromUsd(2)), ("other: 3 requests, 200,000 tokens in, 50,000 out", 0.25, 2m, Money.FromUsd(0.5m))],
            lines.OrderByDescending(l => l.Amount).Select(l => (l.Description, l.Quantity, l.UnitPriceUsd, l.Amount)));
        foreach (var by in Enum.GetValues<BillGrouping>())
        {
            var rows = await market.Store.ReadAsync(s => BillReader.Read(s, _project, s_day, s_day, by), default);
            Assert.Equal(Money.FromUsd(2.5m), rows.Aggregate(Money.Zero, (sum, row) => sum + row.Inference));
            Assert.Equal(Money.FromUsd(2.5m), rows.Aggregate(Money.Zero, (sum, row) => sum + row.Total));
        }
        Assert.Empty(await market.Store.ReadAsync(s => BillReader.ReadInference(s, _project, s_day.AddDays(1), s_day.AddDays(2)), default));
    }

    [Fact]
    public async Task Whatever_is_used_however_often_it_is_sent_the_ledger_adds_up_and_no_project_falls_below_zero()
    {
        var batches = Gen.Select(Gen.Int[0, 5], Gen.Int[0, 2], Gen.Long[0, 3_000_000]).Array[1, 12].List[1, 8];
        await batches.SampleAsync(async all =>
        {
            await using var market = await MarketStore.OpenAsync();
            var projects = Enumerable.Range(0, 3).Select(_ => ProjectId.New(s_now)).ToList();
            foreach (var project in projects)
                await market.GrantAsync(new JobFunds(new MarketOptions()), project, Money.FromUsd(4), project.ToString());
            var total = Money.Zero;
            for (var i = 0; i < all.Count; i++)
            {
                var uses = all[i].Select(u => Use(0) with { Project = projects[u.Item2], Model = $"m{u.Item1}", Cost = new Money(u.Item3) }).ToList();
                total += uses.Aggregate(Money.Zero, (sum, use) => sum + use.Cost);
                // Sent again, as after an answer that was lost.
                for (var again = 0; again <= i % 2; again++)
                    await market.Store.WriteAsync(s => _funds.Charge(s, $"batch-{i}", s_now, uses), default);
            }

            Assert.Empty(await market.AuditAsync());
            Assert.Equal(total, await market.BalanceAsync(Account.Served(_endpoint)));
            var billed = await market.Store.ReadAsync(s => BillReader.Read(s, null, s_day, s_day, BillGrouping.Project), default);
            Assert.Equal(total, billed.Aggregate(Money.Zero, (sum, row) => sum + row.Inference));
            var paid = Money.FromUsd(12);
            foreach (var project in projects)
                paid -= await market.BalanceAsync(Account.Available(project));
            Assert.Equal(paid, billed.Aggregate(Money.Zero, (sum, row) => sum + row.Total));
        }, iter: 8, threads: 1);
    }

    private InferenceUse Use(decimal usd) => new()
    {
        Project = _project, Key = _key, Model = "tiny", Endpoint = _endpoint, Requests = 3, InputTokens = 200_000, OutputTokens = 50_000, Cost = Money.FromUsd(usd),
    };
}
