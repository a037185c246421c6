using Cairn.Contracts.Units;
using Cairn.Fleet.Leasing;
using CsCheck;

namespace Cairn.Fleet.Tests.Leasing;

public sealed class Time_is_billed
{
    private const long Second = 1_000_000;

    [Fact]
    public void Never_more_than_the_server_saw_and_never_more_than_the_node_ran() =>
        Gen.Select(Gen.Long[0, 1000], Gen.Long[0, 1000], Gen.Long[0, 1000], Gen.Long[-5, 5000], Gen.Bool)
            .Sample((granted, setup, ran, elapsed, unheard) =>
        {
            var lease = new LeaseTimes(granted * Second, (granted + setup) * Second, BillsBoot: false, unheard);
            var billed = BilledTime.Ended(lease, (granted + setup + ran) * Second, elapsed * Second);
            Assert.InRange(billed, 0, Math.Max(0, elapsed) * Second);
            Assert.True(billed <= (unheard ? setup + ran : ran) * Second);
        });

    [Fact]
    public void An_outage_of_the_server_costs_the_renter_nothing()
    {
        // The task ran for 60 s; the server was away and heard of its end an hour later.
        var lease = new LeaseTimes(0, 5 * Second, false, false);
        Assert.Equal(60 * Second, BilledTime.Ended(lease, 3600 * Second, 60 * Second));
    }

    [Fact]
    public void A_node_whose_clock_races_cannot_charge_for_it()
    {
        var lease = new LeaseTimes(0, 5 * Second, false, false);
        Assert.Equal(55 * Second, BilledTime.Ended(lease, 60 * Second, 1_000 * Second));
    }

    [Fact]
    public void What_began_during_an_outage_is_billed_as_it_ran() =>
        Assert.Equal(600 * Second,
            BilledTime.Ended(new LeaseTimes(0, 3599 * Second, false, BeganUnheard: true), 3600 * Second, 600 * Second));

    [Fact]
    public void Setup_is_free_unless_the_place_bills_its_boot()
    {
        Assert.Equal(0, BilledTime.SoFar(new LeaseTimes(0, null, false, false), 100 * Second));
        Assert.Equal(100 * Second, BilledTime.SoFar(new LeaseTimes(0, null, true, false), 100 * Second));
        Assert.Equal(10 * Second, BilledTime.Ended(new LeaseTimes(0, 40 * Second, false, false), 50 * Second, 10 * Second));
        Assert.Equal(50 * Second, BilledTime.Ended(new LeaseTimes(0, 40 * Second, true, false), 50 * Second, 10 * Second));
    }

    [Fact]
    public void Silence_is_not_billed() =>
        Assert.Equal(20 * Second, BilledTime.SoFar(new LeaseTimes(0, 10 * Second, false, false), nodeSeenMicros: 30 * Second));

    [Fact]
    public void A_total_does_not_depend_on_how_often_it_is_settled() =>
        Gen.Select(Gen.Long[0, 10_000_000], Gen.Long[1, 100_000].Array[1, 50]).Sample((hourly, steps) =>
        {
            var price = new HourlyPrice(hourly);
            long time = 0;
            var charged = Money.Zero;
            foreach (var step in steps)
            {
                time += step;
                charged += price.CostOf(time) - charged;
            }
            Assert.Equal(price.CostOf(steps.Sum()), charged);
        });
}
