namespace Cairn.Serving.Rollouts;

/// <summary>Where a replica is in its life.</summary>
internal enum ReplicaPhase
{
    /// <summary>Its job waits, starts or loads.</summary>
    Starting,

    /// <summary>Answers.</summary>
    Ready,

    /// <summary>Finishes what it has and gets nothing new.</summary>
    Draining,

    /// <summary>Its job was asked to stop.</summary>
    Stopping,

    /// <summary>Over.</summary>
    Ended,
}

/// <summary>A replica that is not over.</summary>
/// <param name="Since">When it came into its phase.</param>
/// <param name="InFlight">Requests it has.</param>
/// <param name="OnDemand">Whether it runs where nothing is taken away.</param>
internal sealed record ReplicaFact(Guid Id, int Revision, ReplicaPhase Phase, DateTimeOffset Since, int InFlight, bool OnDemand = false);

/// <summary>How a revision dealt with requests since it got the first.</summary>
/// <param name="P90FirstTokenMs">Null without answers.</param>
internal readonly record struct RevisionHealth(long Requests, long Failures, double? P90FirstTokenMs)
{
    public double FailureShare => Requests == 0 ? 0 : (double)Failures / Requests;
}

/// <summary>What a decision is made of.</summary>
internal sealed record RolloutFacts
{
    /// <summary>Replicas that the autoscaler asks for.</summary>
    public required int Wanted { get; init; }

    /// <summary>The revision that all replicas shall be of, but for a canary's.</summary>
    public required int Revision { get; init; }

    /// <summary>The revision that is gone back to where <see cref="Revision"/> never becomes ready; null where there is none.</summary>
    public int? Previous { get; init; }

    public int? Canary { get; init; }

    /// <summary>1 to 99.</summary>
    public int CanaryPercent { get; init; }

    public RevisionHealth StableHealth { get; init; }

    public RevisionHealth CanaryHealth { get; init; }

    public required IReadOnlyList<ReplicaFact> Replicas { get; init; }

    /// <summary>Replicas of the newest revision that ended without ever being ready, in a row.</summary>
    public int FailedStarts { get; init; }

    /// <summary>When the last of them ended.</summary>
    public DateTimeOffset? LastFailure { get; init; }

    /// <summary>By revision: how its replicas are split between machines that stay and those that can be taken away.</summary>
    public IReadOnlyDictionary<int, OnDemandSplit> Splits { get; init; } = new Dictionary<int, OnDemandSplit>();

    /// <summary>Whether a new replica waits in vain for room beside the old ones.</summary>
    public bool NoRoom { get; init; }

    /// <summary>Whether the endpoint is to end.</summary>
    public bool Stopping { get; init; }
}

/// <summary>How replicas are exchanged.</summary>
public sealed class RolloutOptions
{
    /// <summary>Replicas beyond the wanted number during a rollout; default 1. More is faster and costs more meanwhile.</summary>
    public int Surge { get; set; } = 1;

    /// <summary>How long a replica that is leaving may finish its requests; default 1 h. Cairn cuts no stream before.</summary>
    public TimeSpan DrainTime { get; set; } = TimeSpan.FromHours(1);

    /// <summary>A draining replica without requests stays this long, for gateways that have not heard yet; default 1 s.</summary>
    public TimeSpan DrainPause { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Starts that fail in a row before a rollout goes back; default 3.</summary>
    public int FailedStartsToGoBack { get; set; } = 3;

    /// <summary>The longest rest after failed starts, which doubles from one second; default 60 s.</summary>
    public TimeSpan LongestRest { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>Requests that a canary must have had before it is judged; default 20.</summary>
    public long CanaryRequests { get; set; } = 20;

    /// <summary>A canary goes back when its share of failures is this much above the stable revision's, 0 to 1; default 0.05.</summary>
    public double CanaryFailureMargin { get; set; } = 0.05;

    /// <summary>A canary goes back when its 90th percentile of time to first token is this many times the stable revision's; default 2.</summary>
    public double CanaryLatencyFactor { get; set; } = 2;
}
