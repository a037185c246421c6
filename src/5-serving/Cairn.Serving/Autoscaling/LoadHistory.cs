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
    private readonly LatencyHistory _firstToken;
    private readonly LatencyHistory _eachToken;
    private Load _current;
    private DateTimeOffset? _since;
    private DateTimeOffset _first;

    /// <param name="window">What is remembered; the rest is forgotten.</param>
    /// <param name="latencies">How long answers' times are remembered, at most as long; null for just as long.</param>
    public LoadHistory(TimeSpan window, TimeSpan? latencies = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(window, TimeSpan.FromSeconds(1));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(window, TimeSpan.FromHours(1));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(latencies ?? window, window);
        _seconds = new Second[(int)Math.Ceiling(window.TotalSeconds) + 2];
        Array.Fill(_seconds, new Second { Number = -1 });
        (_firstToken, _eachToken) = (new LatencyHistory(latencies ?? window), new LatencyHistory(latencies ?? window));
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
        if (timeToFirstTokenMs is { } first)
            _firstToken.Add(_since!.Value, first);
        if (timePerOutputTokenMs is { } each)
            _eachToken.Add(_since!.Value, each);
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
    public double? FirstTokenNinetieth(DateTimeOffset now, TimeSpan window) => Ninetieth(_firstToken, now, window);

    /// <summary>The time per output token that nine of ten answers of the window stayed under, milliseconds; null without answers.</summary>
    public double? EachTokenNinetieth(DateTimeOffset now, TimeSpan window) => Ninetieth(_eachToken, now, window);

    private double? Ninetieth(LatencyHistory latencies, DateTimeOffset now, TimeSpan window)
    {
        Advance(now);
        var (first, last) = SecondsOf(_since!.Value, window);
        return latencies.Quantile(0.9, first, last);
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
            second = new Second { Number = number };
        return ref second;
    }

    private IEnumerable<Second> Within(DateTimeOffset now, TimeSpan window)
    {
        var (first, last) = SecondsOf(now, window);
        return _seconds.Where(s => s.Number >= first && s.Number <= last);
    }

    private static (long First, long Last) SecondsOf(DateTimeOffset now, TimeSpan window)
    {
        var last = now.UtcTicks / TimeSpan.TicksPerSecond;
        var first = (now - window).UtcTicks / TimeSpan.TicksPerSecond;
        // The second in which the window begins counts whole only where the window begins with it.
        if ((now - window).UtcTicks % TimeSpan.TicksPerSecond != 0)
            first++;
        return (first, last);
    }

    private struct Second
    {
        public long Number;
        public double Concurrency;
        public double Tokens;
        public double Requests;
    }
}
