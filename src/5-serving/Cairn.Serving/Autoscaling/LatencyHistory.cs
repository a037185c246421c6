namespace Cairn.Serving.Autoscaling;

/// <summary>Latencies of the last seconds, second by second. Not for concurrent use.</summary>
internal sealed class LatencyHistory
{
    private readonly (long Number, LatencyBins? Bins)[] _seconds;

    /// <param name="window">What is remembered.</param>
    public LatencyHistory(TimeSpan window)
    {
        _seconds = new (long, LatencyBins?)[(int)Math.Ceiling(window.TotalSeconds) + 2];
        Array.Fill(_seconds, (-1, null));
    }

    public void Add(DateTimeOffset at, double milliseconds)
    {
        var number = at.UtcTicks / TimeSpan.TicksPerSecond;
        ref var second = ref _seconds[number % _seconds.Length];
        // Bins live as long as the history: new ones each second would be garbage of the window's age, which the runtime leaves lying longest.
        if (second.Number != number)
            second.Bins?.Clear();
        second.Number = number;
        // Without bins until something was answered: there may be thousands of endpoints, and most rest.
        (second.Bins ??= new LatencyBins()).Add(milliseconds);
    }

    /// <summary>Over the seconds from <paramref name="first"/> to <paramref name="last"/>; null without latencies.</summary>
    public double? Quantile(double share, long first, long last)
    {
        var sum = new LatencyBins();
        foreach (var (number, bins) in _seconds)
        {
            if (bins is not null && number >= first && number <= last)
                sum.Add(bins);
        }
        return sum.Quantile(share);
    }
}
