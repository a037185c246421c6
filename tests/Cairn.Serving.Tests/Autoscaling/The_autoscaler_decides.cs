using Cairn.Contracts.Ids;
using Cairn.Contracts.Units;
using Cairn.Serving.Autoscaling;
using Cairn.Serving.Endpoints;

namespace Cairn.Serving.Tests.Autoscaling;

/// <summary>Single decisions. The first cases are those that Knative's documentation of its autoscaler works through: target 10, utilization 70 %.</summary>
public sealed class The_autoscaler_decides
{
    private static readonly DateTimeOffset s_noon = new(2026, 3, 2, 12, 0, 0, TimeSpan.Zero); // a Monday
    private static readonly ScalingSpec s_spec = new()
    {
        MinReplicas = 0, MaxReplicas = 100, TargetConcurrency = 10, ScaleDownDelay = TimeSpan.Zero, ScaleDownTolerance = 0,
    };

    [Theory]
    [InlineData(7, 1, 1)] // exactly one replica's share
    [InlineData(7.1, 1, 2)]
    [InlineData(70, 10, 10)]
    [InlineData(71, 10, 11)]
    [InlineData(35, 10, 5)]
    [InlineData(7, 10, 5)] // one step takes at most half away
    [InlineData(100_000, 10, 100)] // the maximum
    public void A_calm_load_asks_for_its_share_of_the_target(double concurrency, int ready, int expected) =>
        Assert.Equal(expected, Decide(s_spec, Steady(concurrency, 120), ready).Wanted);

    [Theory]
    [InlineData(34, 6)] // 34 and a tenth still ask for six
    [InlineData(31, 5)]
    public void A_load_on_the_border_of_two_numbers_keeps_the_higher(double concurrency, int expected) =>
        Assert.Equal(expected, Decide(s_spec with { ScaleDownTolerance = 0.1 }, Steady(concurrency, 120), 6).Wanted);

    [Fact]
    public void Twice_what_is_ready_within_the_panic_window_is_a_burst()
    {
        var load = Steady(7, 120);
        load.Observe(s_noon, new Load(200, 0, 0));
        var at = s_noon.AddSeconds(6);
        var decision = Autoscaler.Decide(s_spec, load, new ReplicaCounts(1, 1), ScalingMemory.None, default, at);
        Assert.Equal((29, ScalingReason.Burst), (decision.Wanted, decision.Reason));

        // It is over at once, and nothing is taken away for a stable window.
        load.Observe(at, default);
        var later = Autoscaler.Decide(s_spec, load, new ReplicaCounts(29, 29), decision.Memory, default, at.AddSeconds(59));
        Assert.Equal(29, later.Wanted);
        var after = Autoscaler.Decide(s_spec, load, new ReplicaCounts(29, 29), later.Memory, default, at.AddSeconds(61));
        Assert.Equal(14, after.Wanted);
    }

    [Fact]
    public void A_request_that_came_and_went_between_decisions_counts()
    {
        var load = new LoadHistory(TimeSpan.FromMinutes(5));
        load.Observe(s_noon.AddSeconds(-300), default);
        load.Observe(s_noon.AddSeconds(-1.5), new Load(1, 0, 0));
        load.Observe(s_noon.AddSeconds(-1.4), default);
        var average = load.Average(s_noon, TimeSpan.FromSeconds(60));
        Assert.Equal(0.1 / 60, average.Concurrency, 6);
        var decision = Autoscaler.Decide(s_spec with { ScaleToZeroDelay = TimeSpan.FromSeconds(30) }, load, new ReplicaCounts(1, 1), ScalingMemory.None, default, s_noon);
        Assert.Equal(1, decision.Wanted);
    }

    [Fact]
    public void The_highest_of_the_delay_is_kept()
    {
        var spec = s_spec with { ScaleDownDelay = TimeSpan.FromMinutes(5) };
        var decision = Decide(spec, Steady(70, 120), 10);
        Assert.Equal(10, decision.Wanted);
        var calm = Steady(7, 120);
        calm.Observe(s_noon.AddSeconds(200), new Load(7, 0, 0));
        var early = Autoscaler.Decide(spec, calm, new ReplicaCounts(10, 10), decision.Memory, default, s_noon.AddSeconds(299));
        Assert.Equal((10, ScalingReason.Delay), (early.Wanted, early.Reason));
        var late = Autoscaler.Decide(spec, calm, new ReplicaCounts(10, 10), early.Memory, default, s_noon.AddSeconds(300));
        Assert.Equal(5, late.Wanted);
    }

    [Fact]
    public void A_server_that_begins_anew_takes_nothing_away_before_the_delay_is_over()
    {
        var (spec, board, endpoint) = (s_spec with { ScaleDownDelay = TimeSpan.FromMinutes(5) }, new EndpointBoard(), EndpointId.New(s_noon));
        var load = new LoadHistory(TimeSpan.FromMinutes(5));
        load.Observe(s_noon, new Load(7, 0, 0));
        ScalingDecision At(int seconds)
        {
            var now = s_noon.AddSeconds(seconds);
            var decision = Autoscaler.Decide(spec, load, new ReplicaCounts(10, 10), board.Scaling(endpoint, 10, now), default, now);
            board.Decided(endpoint, decision);
            return decision;
        }

        Assert.Equal((10, ScalingReason.Delay), (At(0).Wanted, At(0).Reason));
        Assert.Equal(10, At(299).Wanted);
        Assert.Equal(5, At(300).Wanted);
    }

    [Fact]
    public void The_hungriest_signal_decides()
    {
        var spec = s_spec with { TokenCapacity = 1000, TargetUtilization = 1, TargetConcurrency = 8 };
        var load = new LoadHistory(TimeSpan.FromMinutes(5));
        load.Observe(s_noon.AddSeconds(-120), new Load(4, 0, 5500));
        Assert.Equal(6, Decide(spec, load, 5).Wanted);
        Assert.Equal(1, Decide(spec with { TokenCapacity = null }, load, 1).Wanted);
    }

    [Fact]
    public void Latency_above_the_promise_adds_replicas_once_until_they_are_there()
    {
        var spec = s_spec with { TimeToFirstTokenMs = 300 };
        var load = Steady(20, 120);
        for (var i = 0; i < 100; i++)
            load.Answered(s_noon.AddSeconds(-5 + i * 0.04), 440, null);
        var decision = Decide(spec, load, 4);
        Assert.Equal((6, ScalingReason.Slo), (decision.Wanted, decision.Reason));
        var starting = Autoscaler.Decide(spec, load, new ReplicaCounts(6, 4), decision.Memory, default, s_noon);
        Assert.NotEqual(ScalingReason.Slo, starting.Reason);
    }

    [Fact]
    public void Zero_comes_after_idleness_and_one_for_somebody_who_waits()
    {
        var load = new LoadHistory(TimeSpan.FromMinutes(10));
        load.Observe(s_noon, new Load(1, 0, 0));
        load.Observe(s_noon.AddSeconds(1), default);
        var (memory, replicas) = (ScalingMemory.None, new ReplicaCounts(1, 1));
        Assert.Equal(1, Autoscaler.Decide(s_spec, load, replicas, memory, default, s_noon.AddSeconds(300)).Wanted);
        var slept = Autoscaler.Decide(s_spec, load, replicas, memory, default, s_noon.AddSeconds(301));
        Assert.Equal((0, ScalingReason.Idle), (slept.Wanted, slept.Reason));
        Assert.Equal(0, Autoscaler.Decide(s_spec, load, default, slept.Memory, default, s_noon.AddSeconds(302)).Wanted);
        load.Observe(s_noon.AddSeconds(400), new Load(0, 1, 0));
        var woken = Autoscaler.Decide(s_spec, load, default, slept.Memory, default, s_noon.AddSeconds(400));
        Assert.Equal((1, ScalingReason.Activation), (woken.Wanted, woken.Reason));
    }

    [Fact]
    public void What_still_loads_is_not_thrown_away()
    {
        var load = new LoadHistory(TimeSpan.FromMinutes(10));
        load.Observe(s_noon, default);
        var decision = Autoscaler.Decide(s_spec, load, new ReplicaCounts(1, 0), ScalingMemory.None, default, s_noon.AddSeconds(9999));
        Assert.Equal(1, decision.Wanted);
    }

    [Theory]
    [InlineData("2026-03-02T08:59:59Z", 1)]
    [InlineData("2026-03-02T09:00:00Z", 5)]
    [InlineData("2026-03-02T17:00:00Z", 1)]
    [InlineData("2026-03-07T10:00:00Z", 1)] // a Saturday
    [InlineData("2026-03-06T22:30:00Z", 3)] // Friday's night
    [InlineData("2026-03-07T01:59:00Z", 3)] // goes on into Saturday
    [InlineData("2026-03-07T02:00:00Z", 1)]
    public void Schedules_set_the_bounds_of_their_hours(string at, int expected)
    {
        var now = DateTimeOffset.Parse(at, System.Globalization.CultureInfo.InvariantCulture);
        var spec = s_spec with
        {
            MinReplicas = 1,
            Schedules =
            [
                new([DayOfWeek.Monday, DayOfWeek.Friday], new(9, 0), new(17, 0), 5, 10),
                new([DayOfWeek.Friday], new(22, 0), new(2, 0), 3, 10),
            ],
        };
        var load = new LoadHistory(TimeSpan.FromMinutes(5));
        load.Observe(now.AddSeconds(-120), default);
        Assert.Equal(expected, Autoscaler.Decide(spec, load, new ReplicaCounts(expected, expected), ScalingMemory.None, default, now).Wanted);
    }

    [Fact]
    public void The_spend_cap_is_stronger_than_the_minimum()
    {
        var spec = s_spec with { MinReplicas = 4, SpendCap = HourlyPrice.FromUsd(5) };
        var decision = Autoscaler.Decide(spec, Steady(70, 120), new ReplicaCounts(4, 4), ScalingMemory.None, HourlyPrice.FromUsd(2), s_noon);
        Assert.Equal((2, ScalingReason.SpendCap), (decision.Wanted, decision.Reason));
        Assert.Contains("$5.00/h", decision.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_spec_tells_all_its_mistakes_at_once()
    {
        var spec = new ScalingSpec { MinReplicas = 5, MaxReplicas = 2, TargetConcurrency = -1, TargetUtilization = 2, PanicThreshold = 1 };
        Assert.Equal(4, spec.Problems().Count);
        Assert.Empty(new ScalingSpec().Problems());
    }

    private static ScalingDecision Decide(ScalingSpec spec, LoadHistory load, int ready) =>
        Autoscaler.Decide(spec, load, new ReplicaCounts(ready, ready), ScalingMemory.None, default, s_noon);

    private static LoadHistory Steady(double concurrency, int seconds)
    {
        var load = new LoadHistory(TimeSpan.FromMinutes(5));
        load.Observe(s_noon.AddSeconds(-seconds), new Load(concurrency, 0, 0));
        return load;
    }
}
