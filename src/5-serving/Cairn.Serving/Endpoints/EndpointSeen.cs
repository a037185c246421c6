using Cairn.Fleet.Jobs;
using Cairn.Serving.Rollouts;

namespace Cairn.Serving.Endpoints;

/// <summary>A replica with what its job and its probe say of it now.</summary>
/// <param name="End">Why its job ended; null where it has not.</param>
/// <param name="WaitsForRoom">Its job is queued.</param>
internal sealed record ReplicaSeen(ReplicaRow Row, string? End, bool WaitsForRoom, LiveTaskView? Task, ProbeResult? Probe, int InFlight)
{
    /// <summary>
    /// Whether its job lives in memory or has ended in rows. Between the two a job's end is not durable yet, and a replica stays what it is.
    /// </summary>
    public bool Known { get; init; } = true;

    /// <summary>How long its program may take until it is ready; null sets no limit.</summary>
    public TimeSpan? StartWithin { get; init; }
}

/// <summary>An endpoint before a decision.</summary>
internal sealed record EndpointSeen(
    EndpointRow Row, IReadOnlyList<ReplicaSeen> Replicas, RevisionHealth StableHealth, RevisionHealth CanaryHealth, DateTimeOffset Now)
{
    /// <summary>By revision: how its replicas are split between machines that stay and those that can be taken away.</summary>
    public IReadOnlyDictionary<int, OnDemandSplit> Splits { get; init; } = new Dictionary<int, OnDemandSplit>();

    /// <summary>A replica said that it is no server of models.</summary>
    public bool ServesNoModel => Replicas.Any(r => r.Probe is { Ready: true, Served: "" });
}
