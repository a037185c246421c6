using Cairn.Serving.Gateway.Routing;

namespace Cairn.Serving.Tests.Routing;

public sealed class A_breaker_opens
{
    private static readonly DateTimeOffset s_start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void After_failures_in_a_row_and_lets_one_trial_through_after_a_cooldown()
    {
        var breaker = new CircuitBreaker(new BreakerOptions());
        for (var i = 0; i < 3; i++)
        {
            Assert.True(breaker.Allows(s_start));
            breaker.Begin();
            breaker.Failed(s_start);
        }
        Assert.False(breaker.Allows(s_start.AddSeconds(4.9)));
        Assert.True(breaker.Allows(s_start.AddSeconds(5)));
        breaker.Begin();
        Assert.False(breaker.Allows(s_start.AddSeconds(5)));
        breaker.Succeeded(s_start.AddSeconds(6));
        Assert.True(breaker.Allows(s_start.AddSeconds(6)));
    }

    [Fact]
    public void Longer_after_each_trial_that_fails()
    {
        var breaker = new CircuitBreaker(new BreakerOptions());
        breaker.Open(s_start, TimeSpan.FromSeconds(5));
        var (now, waits) = (s_start.AddSeconds(5), new List<double>());
        for (var trial = 0; trial < 6; trial++)
        {
            Assert.True(breaker.Allows(now));
            breaker.Begin();
            breaker.Failed(now);
            var began = now;
            while (!breaker.Allows(now))
                now = now.AddSeconds(1);
            waits.Add((now - began).TotalSeconds);
        }
        Assert.Equal([10, 20, 40, 60, 60, 60], waits);
    }

    [Fact]
    public void When_more_than_half_fail_though_never_in_a_row()
    {
        var breaker = new CircuitBreaker(new BreakerOptions { FailuresInARow = 100, FailureShare = 0.4 });
        for (var i = 0; i < 9; i++)
        {
            if (i % 2 == 0)
                breaker.Failed(s_start);
            else
                breaker.Succeeded(s_start);
            Assert.True(breaker.Allows(s_start));
        }
        breaker.Failed(s_start);
        Assert.False(breaker.Allows(s_start));
    }

    [Fact]
    public void A_trial_whose_client_left_frees_the_way_for_another()
    {
        var breaker = new CircuitBreaker(new BreakerOptions());
        breaker.Open(s_start, TimeSpan.FromSeconds(1));
        breaker.Begin();
        Assert.False(breaker.Allows(s_start.AddSeconds(2)));
        breaker.Abandoned();
        Assert.True(breaker.Allows(s_start.AddSeconds(2)));
    }
}
