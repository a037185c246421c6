using Cairn.Contracts.Ids;
using Cairn.Contracts.Units;
using Cairn.Market.Funds;
using Cairn.Market.Ledger;
using CsCheck;

namespace Cairn.Market.Tests;

/// <summary>Random lives of jobs against a model that keeps plain numbers.</summary>
public sealed class LedgerModelTests
{
    private static readonly DateTimeOffset s_start = new(2026, 3, 1, 0, 0, 0, TimeSpan.Zero);

    private static readonly Gen<Step> s_step = Gen.OneOf(
        Gen.Long[1, 5_000_000].Select(amount => new Step(StepKind.Grant, 0, amount)),
        Gen.Select(Gen.Int[0, 5], Gen.Long[0, 3_000_000], (job, amount) => new Step(StepKind.Hold, job, amount)),
        Gen.Select(Gen.Int[0, 5], Gen.Long[0, 4_000_000_000], (job, micros) => new Step(StepKind.Use, job, micros)),
        Gen.Int[0, 5].Select(job => new Step(StepKind.Repeat, job, 0)),
        Gen.Int[0, 5].Select(job => new Step(StepKind.Close, job, 0)),
        Gen.Const(new Step(StepKind.Reopen, 0, 0)));

    private enum StepKind { Grant, Hold, Use, Repeat, Close, Reopen }

    [Fact]
    [Trait("speed", "slow")]
    public async Task Every_life_of_jobs_keeps_the_invariants_and_equals_the_model() =>
        await s_step.Array[1, 40].SampleAsync(RunAsync, iter: 60, threads: 1);

    [Fact]
    public async Task Ten_thousand_ways_to_settle_cost_the_same()
    {
        await using var market = await MarketStore.OpenAsync();
        var funds = new JobFunds(new MarketOptions { FeePercent = 1.7m });
        var project = ProjectId.New(s_start);
        await market.GrantAsync(funds, project, Money.FromUsd(1000));
        var random = new Random(11);
        var price = HourlyPrice.FromUsd(2.153847m);
        Money? expected = null;
        for (var way = 0; way < 20; way++)
        {
            var job = JobId.New(s_start);
            var lease = LeaseId.New(s_start);
            const long End = 7_654_321_987;
            await market.Store.WriteAsync(
                session =>
                {
                    long at = 0;
                    for (var i = 0; i < random.Next(1, 500); i++)
                    {
                        at = random.NextInt64(at, End);
                        funds.Settle(session, [Use(job, lease, project, price, at)]);
                    }

                    funds.Settle(session, [Use(job, lease, project, price, End)]);
                },
                default);
            var total = await market.Store.ReadAsync(s => new Money(s.Scalar<long>("SELECT CAST(SUM(amount) AS BIGINT) FROM charges WHERE job_id = @job", new { job })), default);
            expected ??= total;
            Assert.Equal(expected, total);
        }

        Assert.Empty(await market.AuditAsync());
    }

    private static async Task RunAsync(Step[] steps)
    {
        await using var market = await MarketStore.OpenAsync();
        var funds = new JobFunds(new MarketOptions());
        var project = ProjectId.New(s_start);
        var jobs = Enumerable.Range(0, 6).Select(_ => JobId.New(s_start)).ToArray();
        var leases = jobs.Select(_ => LeaseId.New(s_start)).ToArray();
        var price = new HourlyPrice(1_234_567);
        var model = new Model();
        for (var i = 0; i < steps.Length; i++)
        {
            var step = steps[i];
            switch (step.Kind)
            {
                case StepKind.Grant:
                    await market.GrantAsync(funds, project, new Money(step.Amount), $"g{i}");
                    await market.GrantAsync(funds, project, new Money(step.Amount), $"g{i}");
                    model.Available += step.Amount;
                    break;
                case StepKind.Hold:
                    var problem = await market.Store.WriteAsync(s => funds.Hold(s, jobs[step.Job], project, new Money(step.Amount)), default);
                    Assert.Equal(model.Hold(step.Job, step.Amount), problem is null);
                    break;
                case StepKind.Use:
                    model.Use(step.Job, step.Amount, price);
                    goto case StepKind.Repeat;
                case StepKind.Repeat:
                    await market.Store.WriteAsync(s => funds.Settle(s, [Use(jobs[step.Job], leases[step.Job], project, price, model.Used[step.Job])]), default);
                    break;
                case StepKind.Close:
                    await market.Store.WriteAsync(s => funds.Close(s, [jobs[step.Job]]), default);
                    model.Close(step.Job);
                    break;
                default:
                    await market.ReopenAsync();
                    break;
            }

            Assert.Equal(model.Available, (await market.BalanceAsync(Account.Available(project))).Micros);
            Assert.Equal(model.Held.Sum(), (await market.BalanceAsync(Account.Held(project))).Micros);
            Assert.Equal(model.Earned, (await market.BalanceAsync(Account.Earned("p"))).Micros);
        }

        Assert.Empty(await market.AuditAsync());
    }

    private static Usage Use(JobId job, LeaseId lease, ProjectId project, HourlyPrice price, long micros) => new()
    {
        Lease = lease, Job = job, Project = project, Kind = ChargeKind.Compute, Provider = "p", Region = "r", Description = "rank 0",
        UnitPrice = new Money(price.MicrosPerHour), Quantity = micros, Total = price.CostOf(micros), AtMicros = 1_772_323_200_000_000,
    };

    private sealed record Step(StepKind Kind, int Job, long Amount);

    private sealed class Model
    {
        private readonly long[] _charged = new long[6];

        public long Available { get; set; }

        public long Earned { get; private set; }

        public long[] Held { get; } = new long[6];

        public long[] Used { get; } = new long[6];

        public bool Hold(int job, long unspent)
        {
            var more = Math.Max(0, unspent - Held[job]);
            if (more > Available)
                return false;
            Available -= more;
            Held[job] += more;
            return true;
        }

        public void Use(int job, long micros, HourlyPrice price)
        {
            Used[job] += micros;
            var charge = price.CostOf(Used[job]).Micros - _charged[job];
            _charged[job] += charge;
            Earned += charge;
            var fromHeld = Math.Min(charge, Held[job]);
            Held[job] -= fromHeld;
            Available -= Math.Min(charge - fromHeld, Available);
        }

        public void Close(int job)
        {
            Available += Held[job];
            Held[job] = 0;
        }
    }
}
