namespace Cairn.Serving.Autoscaling;

/// <summary>How often which latency was seen, in bins an eighth of an octave wide (9 %), from 0.1 ms to 27 minutes.</summary>
internal sealed class LatencyBins
{
    private const double Least = 0.1;
    private const int PerOctave = 8;
    private int[]? _counts;
    private int _total;

    public void Add(double milliseconds)
    {
        _counts ??= new int[24 * PerOctave];
        var bin = milliseconds <= Least ? 0 : (int)(Math.Log2(milliseconds / Least) * PerOctave);
        _counts[Math.Min(bin, _counts.Length - 1)]++;
        _total++;
    }

    public void Add(LatencyBins other)
    {
        if (other._counts is not { } counts || other._total == 0)
            return;
        _counts ??= new int[counts.Length];
        for (var i = 0; i < counts.Length; i++)
            _counts[i] += counts[i];
        _total += other._total;
    }

    /// <summary>The middle of the bin in which the quantile lies; null where nothing was added.</summary>
    public double? Quantile(double share)
    {
        if (_counts is null || _total == 0)
            return null;
        var rank = (int)Math.Ceiling(share * _total);
        var bin = 0;
        for (var seen = _counts[0]; seen < rank; seen += _counts[bin])
            bin++;
        return Least * Math.Pow(2, (bin + 0.5) / PerOctave);
    }
}
