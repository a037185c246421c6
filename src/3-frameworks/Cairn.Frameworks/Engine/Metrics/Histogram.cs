namespace Cairn.Frameworks.Engine.Metrics;

/// <summary>Counts per bucket and their sum, as Prometheus reads them. Safe for concurrent use; recording allocates nothing.</summary>
internal sealed class Histogram(double[] bounds)
{
    private readonly long[] _counts = new long[bounds.Length + 1];
    private double _sum;

    /// <summary>Upper bounds, ascending; the last bucket has none.</summary>
    public ReadOnlySpan<double> Bounds => bounds;

    public double Sum => Volatile.Read(ref _sum);

    /// <summary>Counts <paramref name="value"/> <paramref name="times"/> times.</summary>
    public void Record(double value, int times = 1)
    {
        var index = Array.BinarySearch(bounds, value);
        Interlocked.Add(ref _counts[index < 0 ? ~index : index], times);
        double before, after;
        do
        {
            before = Volatile.Read(ref _sum);
            after = before + (value * times);
        }
        while (Interlocked.CompareExchange(ref _sum, after, before) != before);
    }

    /// <summary>How many values are in each bucket, the last above all bounds.</summary>
    public long[] Read()
    {
        var copy = new long[_counts.Length];
        for (var i = 0; i < copy.Length; i++)
            copy[i] = Interlocked.Read(ref _counts[i]);
        return copy;
    }
}
