using Cairn.Contracts.Ids;
using Cairn.Serving.Autoscaling;

namespace Cairn.Serving.Gateway.Calls;

/// <summary>What an endpoint's requests add up to, for the autoscaler. Safe for concurrent use.</summary>
public sealed class EndpointMeter(EndpointId endpoint, TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly LoadHistory _history = new(ScalingSpec.MostStableWindow, ScalingSpec.MostPanicWindow);
    private int _running;
    private int _queued;
    private long _tokens;
    private double _elsewhere;
    private Load _told;
    private long _arrived;

    public EndpointId Endpoint { get; } = endpoint;

    /// <summary>Requests that wait for a replica.</summary>
    public int Queued
    {
        get
        {
            lock (_lock)
                return _queued;
        }
    }

    /// <summary>Looks at the history while nothing changes it.</summary>
    public T Read<T>(Func<LoadHistory, DateTimeOffset, T> look)
    {
        ArgumentNullException.ThrowIfNull(look);
        lock (_lock)
        {
            var now = time.GetUtcNow();
            _history.Observe(now, Now());
            return look(_history, now);
        }
    }

    internal void Arrived()
    {
        lock (_lock)
        {
            _arrived++;
            _history.Began(time.GetUtcNow());
        }
    }

    /// <summary>What other gateways have to do for the endpoint, from now on.</summary>
    /// <param name="load">All of them together.</param>
    /// <param name="arrived">Requests that came to them since they were last asked.</param>
    internal void Told(Load load, long arrived)
    {
        lock (_lock)
        {
            var now = time.GetUtcNow();
            (_told, _arrived) = (load, _arrived + arrived);
            _history.Observe(now, Now());
            for (var i = 0; i < arrived; i++)
                _history.Began(now);
        }
    }

    /// <summary>What this gateway has to do now, and those that told it, and the requests that came since the last time.</summary>
    internal (Load Load, long Arrived) Take()
    {
        lock (_lock)
        {
            var arrived = _arrived;
            _arrived = 0;
            return (new Load(_running + _told.Running, _queued + _told.Queued, _tokens + _told.TokensInFlight), arrived);
        }
    }

    internal void Changed(int running = 0, int queued = 0, long tokens = 0)
    {
        lock (_lock)
        {
            _running += running;
            _queued += queued;
            _tokens += tokens;
            _history.Observe(time.GetUtcNow(), Now());
        }
    }

    /// <summary>Requests that the engines have and this gateway did not send: other gateways' and whoever calls them directly.</summary>
    internal void Elsewhere(double requests)
    {
        lock (_lock)
        {
            if (requests == _elsewhere)
                return;
            _elsewhere = requests;
            _history.Observe(time.GetUtcNow(), Now());
        }
    }

    internal void Answered(double? firstTokenMs, double? eachTokenMs)
    {
        lock (_lock)
            _history.Answered(time.GetUtcNow(), firstTokenMs, eachTokenMs);
    }

    /// <summary>What other gateways tell of, their engines tell of too: it counts once.</summary>
    private Load Now() => new(_running + Math.Max(_elsewhere, _told.Running), _queued + _told.Queued, _tokens + _told.TokensInFlight);
}
