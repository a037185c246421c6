using Cairn.Contracts.Jobs;
using Cairn.Contracts.Units;
using Cairn.Contracts.Workloads;
using Cairn.Fleet.Limits;
using CsCheck;

namespace Cairn.Fleet.Tests.Limits;

public sealed class Limits_are_decided
{
    private const long Second = 1_000_000;

    [Fact]
    public void A_job_stopped_when_the_budget_says_so_never_spends_more_with_its_grace() =>
        Gen.Select(Gen.Long[1, 1_000_000_000], Gen.Long[1, 100_000_000], Gen.Long[0, 600], Gen.Long[0, 1_000_000])
            .Sample((budget, hourly, grace, spent) =>
        {
            var money = new MoneySpec { Budget = new Money(budget) };
            var facts = new LimitFacts(0, 0, 0, new Money(Math.Min(spent, budget)), new HourlyPrice(hourly), grace * Second);
            var at = LimitDecision.NextCheck(money, facts);
            Assert.Null(at > 0 ? LimitDecision.Decide(money, facts) : null);
            if (at is 0 or LimitDecision.Never)
                return;
            // From now to the check at full price, and the whole grace after it.
            var end = facts.Cost + facts.Hourly.CostOf(at + grace * Second);
            Assert.True(end.Micros <= budget, $"{end} of {money.Budget} were spent");
            Assert.Equal(EndReasons.Budget,
                LimitDecision.Decide(money, facts with { NowMicros = at, Cost = facts.Cost + facts.Hourly.CostOf(at) })?.Reason
                ?? LimitDecision.Decide(money,
                    facts with { NowMicros = at + 1, Cost = facts.Cost + facts.Hourly.CostOf(at) + new Money(1) })?.Reason);
        });

    [Theory]
    [InlineData(9, null)]
    [InlineData(10, EndReasons.Deadline)]
    public void A_deadline_counts_from_submission(int seconds, string? expected) => Assert.Equal(expected, LimitDecision.Decide(
        new MoneySpec { DeadlineSeconds = 10 }, new LimitFacts(seconds * Second, 0, null, Money.Zero, HourlyPrice.Free, 0))?.Reason);

    [Theory]
    [InlineData(null, null)]
    [InlineData(5L, null)]
    [InlineData(0L, EndReasons.MaxDuration)]
    public void The_longest_duration_counts_from_the_first_run(long? started, string? expected) =>
        Assert.Equal(expected, LimitDecision.Decide(
        new MoneySpec { MaxDurationSeconds = 10 },
            new LimitFacts(12 * Second, 0, started * Second, Money.Zero, HourlyPrice.Free, 0))?.Reason);

    [Fact]
    public void Without_limits_nothing_is_ever_due() =>
        Assert.Equal(LimitDecision.Never,
            LimitDecision.NextCheck(new MoneySpec(), new LimitFacts(5, 0, 1, new Money(5), new HourlyPrice(5), 5)));
}
