namespace Cairn.Serving.Gateway.Limits;

/// <summary>
/// A sum over the last 60 seconds, in steps of a second: an amount counts for 60 to 61 seconds, so in no window of 60 seconds is more than was allowed. Not for concurrent use.
/// </summary>
internal sealed class SlidingMinute
{
    private const int Seconds = 61;
    private readonly long[] _amounts = new long[Seconds];
    private long _last;

    /// <summary>The sum at a time; times do not go back.</summary>
    public long Sum { get; private set; }

    /// <summary>Forgets what is too old.</summary>
    public void Advance(DateTimeOffset now)
    {
        var second = SecondOf(now);
        if (second <= _last)
            return;
        var steps = Math.Min(second - _last, Seconds);
        for (var i = 1; i <= steps; i++)
        {
            ref var old = ref _amounts[(_last + i) % Seconds];
            Sum -= old;
            old = 0;
        }
        _last = second;
    }

    /// <summary>Adds at the current second, which <see cref="Advance"/> set.</summary>
    /// <returns>The second, for <see cref="Correct"/>.</returns>
    public long Add(long amount)
    {
        _amounts[_last % Seconds] += amount;
        Sum += amount;
        return _last;
    }

    /// <summary>Changes what was added at a second; nothing where that is forgotten already.</summary>
    public void Correct(long second, long difference)
    {
        if (_last - second >= Seconds)
            return;
        _amounts[second % Seconds] += difference;
        Sum += difference;
    }

    /// <summary>How long until the sum is at most this, should nothing be added.</summary>
    public TimeSpan UntilAtMost(long target, DateTimeOffset now)
    {
        var left = Sum;
        for (var second = _last - Seconds + 1; second <= _last; second++)
        {
            if (left <= target)
                break;
            if (second >= 0 && _amounts[second % Seconds] is var amount and not 0)
            {
                left -= amount;
                if (left <= target)
                    return TimeSpan.FromSeconds(second + Seconds) - (now - DateTimeOffset.UnixEpoch);
            }
        }
        return TimeSpan.Zero;
    }

    private static long SecondOf(DateTimeOffset time) => time.ToUnixTimeSeconds();
}
