namespace Cairn.Serving.Autoscaling;

/// <summary>
/// How often which latency was seen, in bins an eighth of an octave wide (9 %), from 0.1 ms to 27 minutes. A few latencies are kept as
/// their bins' numbers, a byte each: an endpoint has an instance for every second of its last minutes, and most see few answers.
/// </summary>
internal sealed class LatencyBins
{
    private const double Least = 0.1;
    private const int PerOctave = 8;
    private const int Bins = 24 * PerOctave; // a number fits in a byte
    private const int Few = 96;
    private byte[]? _few;
    private int[]? _counts;
    private int _total;

    /// <summary>
    /// Forgets what was added. What it needed is kept, because the next second is most likely as busy; a table that was hardly used is
    /// given back.
    /// </summary>
    public void Clear()
    {
        if (_total <= Few)
            _counts = null;
        else
            Array.Clear(_counts!);
        _total = 0;
    }

    public void Add(double milliseconds)
    {
        var bin = milliseconds <= Least ? 0 : (int)(Math.Log2(milliseconds / Least) * PerOctave);
        Add(Math.Min(bin, Bins - 1), 1);
    }

    public void Add(LatencyBins other)
    {
        if (other._counts is { } counts)
        {
            for (var bin = 0; bin < Bins; bin++)
                Add(bin, counts[bin]);
            return;
        }
        foreach (var bin in other._few.AsSpan(0, other._total))
            Add(bin, 1);
    }

    /// <summary>The middle of the bin in which the quantile lies; null where nothing was added.</summary>
    public double? Quantile(double share)
    {
        if (_total == 0)
            return null;
        var rank = Math.Max(1, (int)Math.Ceiling(share * _total));
        return Least * Math.Pow(2, (BinOf(rank) + 0.5) / PerOctave);
    }

    private int BinOf(int rank)
    {
        if (_counts is null)
        {
            Span<byte> sorted = stackalloc byte[Few];
            _few.AsSpan(0, _total).CopyTo(sorted);
            sorted[.._total].Sort();
            return sorted[rank - 1];
        }
        var bin = 0;
        for (var seen = _counts[0]; seen < rank; seen += _counts[bin])
            bin++;
        return bin;
    }

    private void Add(int bin, int count)
    {
        if (_counts is null && _total + count <= Few)
        {
            if ((_few?.Length ?? 0) < _total + count)
                Array.Resize(ref _few, Math.Clamp(2 * (_total + count), 8, Few));
            _few.AsSpan(_total, count).Fill((byte)bin);
            _total += count;
            return;
        }
        if (_counts is null)
        {
            _counts = new int[Bins];
            foreach (var known in _few.AsSpan(0, _total))
                _counts[known]++;
            _few = null;
        }
        _counts[bin] += count;
        _total += count;
    }
}
