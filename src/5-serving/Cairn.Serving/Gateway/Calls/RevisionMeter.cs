using Cairn.Serving.Autoscaling;
using Cairn.Serving.Gateway.Pools;
using Cairn.Serving.Rollouts;

namespace Cairn.Serving.Gateway.Calls;

/// <summary>How one revision of an endpoint deals with requests, since this gateway first gave it one. Safe for concurrent use.</summary>
internal sealed class RevisionMeter
{
    private readonly Lock _lock = new();
    private readonly LatencyBins _first = new();
    private long _requests;
    private long _failures;

    public RevisionHealth Health
    {
        get
        {
            lock (_lock)
                return new RevisionHealth(_requests, _failures, _first.Quantile(0.9));
        }
    }

    public void Ended(AttemptEnd end)
    {
        lock (_lock)
        {
            _requests += end == AttemptEnd.Abandoned ? 0 : 1;
            _failures += end == AttemptEnd.Failed ? 1 : 0;
        }
    }

    /// <summary>Other gateways had as many more requests.</summary>
    public void Elsewhere(long requests, long failures)
    {
        lock (_lock)
            (_requests, _failures) = (_requests + requests, _failures + failures);
    }

    public void Answered(double? firstTokenMs)
    {
        if (firstTokenMs is not { } milliseconds)
            return;
        lock (_lock)
            _first.Add(milliseconds);
    }
}
