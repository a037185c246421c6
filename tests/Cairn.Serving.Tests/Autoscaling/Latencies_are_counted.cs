using Cairn.Serving.Autoscaling;

namespace Cairn.Serving.Tests.Autoscaling;

public sealed class Latencies_are_counted
{
    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(96)]
    [InlineData(97)]
    [InlineData(5000)]
    public void And_their_quantiles_are_within_a_bin_of_the_sorted_ones_few_or_many(int count)
    {
        var random = new Random(count);
        var latencies = Enumerable.Range(0, count).Select(_ => Math.Exp(random.NextDouble() * 10)).ToList();
        // One instance for all, and the sum of several, as over the seconds of a window.
        var (whole, sum) = (new LatencyBins(), new LatencyBins());
        latencies.ForEach(whole.Add);
        foreach (var second in latencies.Chunk(40))
        {
            var bins = new LatencyBins();
            Array.ForEach(second, bins.Add);
            sum.Add(bins);
        }
        latencies.Sort();
        foreach (var share in new[] { 0, 0.1, 0.5, 0.9, 0.99, 1 })
        {
            var exact = latencies[Math.Max(1, (int)Math.Ceiling(share * count)) - 1];
            Assert.InRange(whole.Quantile(share)!.Value / exact, 0.95, 1.05);
            Assert.Equal(whole.Quantile(share), sum.Quantile(share));
        }
    }

    [Fact]
    public void None_have_no_quantile_and_add_nothing()
    {
        var bins = new LatencyBins();
        bins.Add(new LatencyBins());
        Assert.Null(bins.Quantile(0.9));
        bins.Add(double.PositiveInfinity);
        bins.Add(-1);
        Assert.NotNull(bins.Quantile(0.5));
    }

    [Fact]
    public void After_being_cleared_as_if_they_were_new()
    {
        var bins = new LatencyBins();
        foreach (var count in new[] { 5, 96, 500, 500, 3, 0, 97 })
        {
            bins.Clear();
            Assert.Null(bins.Quantile(0.5));
            var fresh = new LatencyBins();
            for (var i = 0; i < count; i++)
            {
                bins.Add(1 + i);
                fresh.Add(1 + i);
            }
            Assert.Equal(fresh.Quantile(0.9), bins.Quantile(0.9));
        }
    }

    [Fact]
    public void Only_over_the_seconds_that_are_asked_for_and_no_longer_than_they_are_remembered()
    {
        var (load, began) = (new LoadHistory(TimeSpan.FromMinutes(5), TimeSpan.FromSeconds(30)), new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
        for (var i = 0; i < 100; i++)
            load.Answered(began + TimeSpan.FromSeconds(i), i < 90 ? 1000 : 4, i < 70 ? 1000 : 2);
        var now = began + TimeSpan.FromSeconds(100);
        Assert.Equal(4, load.FirstTokenNinetieth(now, TimeSpan.FromSeconds(10))!.Value, 0.4);
        Assert.Equal(1000, load.FirstTokenNinetieth(now, TimeSpan.FromSeconds(20))!.Value, 50.0);
        Assert.Equal(2, load.EachTokenNinetieth(now, TimeSpan.FromSeconds(30))!.Value, 0.2);
        Assert.Null(load.FirstTokenNinetieth(now + TimeSpan.FromSeconds(40), TimeSpan.FromSeconds(30)));
    }

    [Theory]
    [InlineData(13)]
    [InlineData(200)]
    public void Over_minutes_without_memory_for_more_than_the_window(int each)
    {
        var (load, now) = (new LoadHistory(TimeSpan.FromMinutes(1)), new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
        Live(120);
        Assert.Equal(4, load.FirstTokenNinetieth(now, TimeSpan.FromSeconds(30))!.Value, 0.4);

        var before = GC.GetAllocatedBytesForCurrentThread();
        Live(120);

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Live(int seconds)
        {
            for (var i = 0; i < seconds * each; i++, now += TimeSpan.FromSeconds(1) / each)
                load.Answered(now, 4, 2);
        }
    }
}
