using Cairn.Contracts.Plans;
using Cairn.Contracts.Units;
using Cairn.Contracts.Workloads;
using Cairn.Planning.Costs;
using CsCheck;
using static Cairn.Planning.Tests.Sample;

namespace Cairn.Planning.Tests.Costs;

public sealed class InterruptionLoss_Tests
{
    [Fact]
    public void Rare_losses_cost_half_a_checkpoint_interval_and_a_restart_each()
    {
        // 100 h at one loss in 50 h: two losses, each of 15 minutes of work and 5 of restart.
        var loss = InterruptionLoss.Of(360_000, 1800, 300, 0.02);
        Assert.Equal(2, loss.Interruptions, 0.02);
        Assert.Equal(2 * 900, loss.LostWorkSeconds, 20.0);
        Assert.Equal(2 * 300, loss.RestartSeconds, 5.0);
    }

    [Fact]
    public void The_expectation_is_what_runs_lose_on_average()
    {
        // A run of 10 h with a checkpoint every 2 h, lost once in 3 h on average, 10 minutes to restart.
        const double Work = 36_000, Interval = 7200, Restart = 600, PerHour = 1.0 / 3;
        var random = new Random(7);
        double interruptions = 0, seconds = 0;
        const int Runs = 20_000;
        for (var run = 0; run < Runs; run++)
        {
            for (var done = 0.0; done < Work;)
            {
                var untilLoss = -Math.Log(1 - random.NextDouble()) / PerHour * 3600;
                if (untilLoss >= Interval)
                {
                    seconds += Interval;
                    done += Interval;
                    continue;
                }

                seconds += untilLoss + Restart;
                interruptions++;
            }
        }

        var loss = InterruptionLoss.Of(Work, Interval, Restart, PerHour);
        Assert.Equal(1, loss.Interruptions / (interruptions / Runs), 0.03);
        Assert.Equal(1, (Work + loss.LostWorkSeconds + loss.RestartSeconds) / (seconds / Runs), 0.02);
    }

    [Fact]
    public void The_series_for_small_rates_meets_the_closed_form()
    {
        // λs of 0.001 is where one takes over from the other.
        var below = InterruptionLoss.Of(3600, 3600, 60, 0.00099999);
        var above = InterruptionLoss.Of(3600, 3600, 60, 0.00100001);
        Assert.Equal(1, above.LostWorkSeconds / below.LostWorkSeconds, 1e-4);
        Assert.Equal(1, above.Interruptions / below.Interruptions, 1e-4);
    }

    [Fact]
    public void More_losses_and_longer_intervals_never_cost_less() =>
        Gen.Select(Gen.Double[0.0001, 1], Gen.Double[0, 1], Gen.Double[60, 3600], Gen.Double[0, 3600]).Sample((rate, more, interval, longer) =>
        {
            var least = InterruptionLoss.Of(100_000, interval, 300, rate).LostWorkSeconds * (1 - 1e-7);
            Assert.True(InterruptionLoss.Of(100_000, interval, 300, rate + more).LostWorkSeconds >= least);
            Assert.True(InterruptionLoss.Of(100_000, interval + longer, 300, rate).LostWorkSeconds >= least);
        });

    [Fact]
    public void A_gang_is_lost_as_often_as_all_its_machines_together()
    {
        var offer = Offer(price: 10) with { Spot = HourlyPrice.FromUsd(4), InterruptionsPerHour = 0.01, BootSeconds = 300 };
        var workload = Workload(hours: 100) with
        {
            Where = new WhereSpec { Interruptible = true }, Checkpoints = new CheckpointSpec { Path = "ckpt", IntervalSeconds = 1800 },
        };
        var one = workload.Plan(offer).Candidates[0].Amount(CostKind.Interruption);
        var eight = (workload with { Nodes = 8 }).Plan(offer).Candidates[0].Amount(CostKind.Interruption);
        // One machine: one loss of 15 minutes. Eight: eight losses that all eight repeat, and for which seven wait for the restart.
        Assert.Equal(4 * 0.25, (double)one.Usd, 0.02);
        Assert.Equal(4 * (8 * 8 * 0.25 + 8 * 7 * 300 / 3600.0), (double)eight.Usd, 3.0);
    }

    [Fact]
    public void Ranks_that_are_replaced_alone_lose_only_their_own_work()
    {
        var offer = Offer(price: 10) with { FailuresPerHour = 0.01, BootSeconds = 300 };
        var workload = Workload(hours: 100) with { Nodes = 8, Checkpoints = new CheckpointSpec { Path = "ckpt", IntervalSeconds = 1800 } };
        var gang = workload.Plan(offer).Candidates[0].Amount(CostKind.Interruption);
        var alone = (workload with { Retries = new RetrySpec { Restart = RestartPolicy.Lost } }).Plan(offer).Candidates[0].Amount(CostKind.Interruption);
        Assert.Equal(10 * 8 * 0.25, (double)alone.Usd, 0.3);
        Assert.True(gang.Micros > 8 * alone.Micros);
    }

    [Fact]
    public void Spot_that_is_taken_away_often_loses_to_on_demand()
    {
        var offer = Offer(price: 10) with { Spot = HourlyPrice.FromUsd(6), InterruptionsPerHour = 0.2, BootSeconds = 1200 };
        var workload = Workload(hours: 10) with { Where = new WhereSpec { Interruptible = true } };
        Assert.Equal(PriceModel.OnDemand, workload.Plan(offer).Candidates[0].PriceModel);
        workload = workload with { Checkpoints = new CheckpointSpec { Path = "ckpt", IntervalSeconds = 600 } };
        Assert.Equal(PriceModel.Spot, workload.Plan(offer).Candidates[0].PriceModel);
    }

    [Fact]
    public void A_service_loses_no_work_and_pays_only_the_boots_of_its_replacements()
    {
        var offer = Offer(price: 10) with { FailuresPerHour = 0.01, BootSeconds = 360, BootBilled = true };
        var workload = Workload(hours: 1000) with { Service = new ServiceSpec { Port = 80 } };
        var candidate = workload.Plan(offer).Candidates[0];
        Assert.Equal(Usd(10 * 10 * 0.1m), candidate.Amount(CostKind.Interruption));
        Assert.Equal(360 + 3_600_000, candidate.ExpectedSeconds);
    }
}
