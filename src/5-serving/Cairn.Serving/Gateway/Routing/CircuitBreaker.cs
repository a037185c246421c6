namespace Cairn.Serving.Gateway.Routing;

/// <summary>When a replica or provider is left alone.</summary>
public sealed class BreakerOptions
{
    /// <summary>Failures in a row that open it; default 3.</summary>
    public int FailuresInARow { get; set; } = 3;

    /// <summary>The share of failures within <see cref="Window"/> above which it opens, once there were ten requests; default 0.5.</summary>
    public double FailureShare { get; set; } = 0.5;

    /// <summary>Default one minute.</summary>
    public TimeSpan Window { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>How long it stays open the first time; doubles with each trial that fails, up to a minute. Default 5 s.</summary>
    public TimeSpan Cooldown { get; set; } = TimeSpan.FromSeconds(5);
}

/// <summary>
/// Leaves alone what fails: closed → open after failures → one trial after a cooldown → closed or open again, longer. Pure but for its
/// own state; not for concurrent use.
/// </summary>
internal sealed class CircuitBreaker(BreakerOptions options)
{
    private const int FewestRequests = 10;
    private static readonly TimeSpan s_longestCooldown = TimeSpan.FromMinutes(1);
    private DateTimeOffset _windowBegan;
    private int _requests;
    private int _failures;
    private int _row;
    private DateTimeOffset? _openUntil;
    private TimeSpan _cooldown = options.Cooldown;
    private bool _trying;

    public bool IsOpen => _openUntil is not null;

    /// <summary>Whether requests may go through; where the cooldown is over, one may, as a trial: see <see cref="Begin"/>.</summary>
    public bool Allows(DateTimeOffset now) => _openUntil is not { } until || (now >= until && !_trying);

    /// <summary>A request goes through. After the cooldown it is the trial, and no other goes until it came back.</summary>
    public void Begin() => _trying = _openUntil is not null;

    public void Succeeded(DateTimeOffset now)
    {
        Count(now, failed: false);
        (_row, _openUntil, _trying, _cooldown) = (0, null, false, options.Cooldown);
    }

    /// <summary>A request neither succeeded nor failed: its client left.</summary>
    public void Abandoned() => _trying = false;

    public void Failed(DateTimeOffset now)
    {
        Count(now, failed: true);
        _row++;
        if (_openUntil is not null)
        {
            // Those that were under way when it opened say nothing new; the trial does.
            if (!_trying)
                return;
            _cooldown = TimeSpan.FromTicks(Math.Min(_cooldown.Ticks * 2, s_longestCooldown.Ticks));
            Open(now, _cooldown);
        }
        else if (_row >= options.FailuresInARow || (_requests >= FewestRequests && _failures > _requests * options.FailureShare))
        {
            Open(now, _cooldown);
        }
    }

    /// <summary>Told to stay away, by a 429 with a time, say.</summary>
    public void Open(DateTimeOffset now, TimeSpan time)
    {
        (_openUntil, _trying, _requests, _failures, _row) = (now + time, false, 0, 0, 0);
    }

    private void Count(DateTimeOffset now, bool failed)
    {
        if (now - _windowBegan > options.Window)
            (_windowBegan, _requests, _failures) = (now, 0, 0);
        _requests++;
        _failures += failed ? 1 : 0;
    }
}
