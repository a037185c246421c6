namespace Cairn.Serving.Autoscaling;

/// <summary>What an endpoint has to do at a moment.</summary>
/// <param name="Running">Requests that a replica works on.</param>
/// <param name="Queued">Requests that wait for one.</param>
/// <param name="TokensInFlight">Prompt and expected output of both, in tokens.</param>
public readonly record struct Load(double Running, double Queued, double TokensInFlight)
{
    public double Concurrency => Running + Queued;

    public bool IsNone => Concurrency <= 0;
}

/// <summary>The mean over a window.</summary>
/// <param name="RequestsPerSecond">Requests that began.</param>
public readonly record struct AverageLoad(double Concurrency, double TokensInFlight, double RequestsPerSecond);

/// <summary>
/// An endpoint's load over the last minutes, as integrals over seconds: a request that came and went between two decisions still counts.
/// Not for concurrent use.
/// </summary>
public sealed class LoadHistory
{
    private readonly Second[] _seconds;
    private Load _current;
    private DateTimeOffset? _since;
    private DateTimeOffset _first;

    /// <param name="window">What is remembered; the rest is forgotten.</param>
    public LoadHistory(TimeSpan window)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(window, TimeSpan.FromSeconds(1));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(window, TimeSpan.FromHours(1));
        _seconds = new Second[(int)Math.Ceiling(window.TotalSeconds) + 2];
        Array.Fill(_seconds, new Second { Number = -1 });
    }

    /// <summary>The load now.</summary>
    public Load Current => _current;

    /// <summary>When the first observation was made; null before.</summary>
    public DateTimeOffset? Started => _since is null ? null : _first;

    /// <summary>When there was last something to do; null where there never was.</summary>
    public DateTimeOffset? LastWorked { get; private set; }

    /// <summary>The load from <paramref name="at"/> on. Times do not go back; one that does counts as the last.</summary>
    public void Observe(DateTimeOffset at, Load load)
    {
        Advance(at);
        _current = load;
        if (!load.IsNone)
            LastWorked = _since;
    }

    /// <summary>A request began.</summary>
    public void Began(DateTimeOffset at)
    {
        Advance(at);
        SecondOf(_since!.Value).Requests++;
        LastWorked = _since;
    }

    /// <summary>A request was answered with these times, in milliseconds; null where it had no such time.</summary>
    public void Answered(DateTimeOffset at, double? timeToFirstTokenMs, double? timePerOutputTokenMs)
    {
        Advance(at);
        ref var second = ref SecondOf(_since!.Value);
        if (timeToFirstTokenMs is { } first)
            (second.FirstToken ??= new()).Add(first);
        if (timePerOutputTokenMs is { } each)
            (second.EachToken ??= new()).Add(each);
    }

    /// <summary>
    /// The mean load of a window that ends at <paramref name="now"/>, or of the time since the first observation where that is shorter.
    /// </summary>
    public AverageLoad Average(DateTimeOffset now, TimeSpan window)
    {
        Advance(now);
        now = _since!.Value;
        var length = Math.Min(window.TotalSeconds, Math.Max(1, (now - _first).TotalSeconds));
        var (concurrency, tokens, requests) = (0.0, 0.0, 0.0);
        foreach (var second in Within(now, window))
        {
            concurrency += second.Concurrency;
            tokens += second.Tokens;
            requests += second.Requests;
        }
        return new AverageLoad(concurrency / length, tokens / length, requests / length);
    }

    /// <summary>The time to first token that nine of ten answers of the window stayed under, milliseconds; null without answers.</summary>
    public double? FirstTokenNinetieth(DateTimeOffset now, TimeSpan window) => Ninetieth(now, window, s => s.FirstToken);

    /// <summary>The time per output token that nine of ten answers of the window stayed under, milliseconds; null without answers.</summary>
    public double? EachTokenNinetieth(DateTimeOffset now, TimeSpan window) => Ninetieth(now, window, s => s.EachToken);

    private double? Ninetieth(DateTimeOffset now, TimeSpan window, Func<Second, LatencyBins?> bins)
    {
        Advance(now);
        var sum = new LatencyBins();
        foreach (var second in Within(_since!.Value, window))
        {
            if (bins(second) is { } seen)
                sum.Add(seen);
        }
        return sum.Quantile(0.9);
    }

    private void Advance(DateTimeOffset at)
    {
        if (_since is not { } since)
        {
            _since = _first = at;
            return;
        }
        // Only what is still remembered needs to be filled.
        var oldest = at - TimeSpan.FromSeconds(_seconds.Length);
        if (since < oldest)
            since = oldest;
        while (since < at)
        {
            var next = new DateTimeOffset((since.Ticks / TimeSpan.TicksPerSecond + 1) * TimeSpan.TicksPerSecond, TimeSpan.Zero);
            var until = next < at ? next : at;
            var share = (until - since).TotalSeconds;
            ref var second = ref SecondOf(since);
            second.Concurrency += _current.Concurrency * share;
            second.Tokens += _current.TokensInFlight * share;
            since = until;
        }
        if (at > _since)
        {
            if (!_current.IsNone)
                LastWorked = at;
            _since = at;
        }
    }

    private ref Second SecondOf(DateTimeOffset at)
    {
        var number = at.UtcTicks / TimeSpan.TicksPerSecond;
        ref var second = ref _seconds[number % _seconds.Length];
        if (second.Number != number)
        {
            // Bins live as long as the history: new ones each second would be garbage of five minutes' age, which the runtime leaves lying longest.
            second.FirstToken?.Clear();
            second.EachToken?.Clear();
            second = new Second { Number = number, FirstToken = second.FirstToken, EachToken = second.EachToken };
        }
        return ref second;
    }

    private IEnumerable<Second> Within(DateTimeOffset now, TimeSpan window)
    {
        var last = now.UtcTicks / TimeSpan.TicksPerSecond;
        var first = (now - window).UtcTicks / TimeSpan.TicksPerSecond;
        // The second in which the window begins counts whole only where the window begins with it.
        if ((now - window).UtcTicks % TimeSpan.TicksPerSecond != 0)
            first++;
        return _seconds.Where(s => s.Number >= first && s.Number <= last);
    }

    /// <summary>A struct, and without bins until something was answered: there may be thousands of endpoints, and most rest.</summary>
    private struct Second
    {
        public long Number;
        public double Concurrency;
        public double Tokens;
        public double Requests;
        public LatencyBins? FirstToken;
        public LatencyBins? EachToken;
    }
}
