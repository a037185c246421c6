using Cairn.Contracts.Ids;
using Cairn.Serving.Rollouts;

namespace Cairn.Serving.Endpoints;

internal sealed record ReplicaRow
{
    public Guid Id { get; init; }

    public EndpointId EndpointId { get; init; }

    public int Revision { get; init; }

    /// <summary>Null until its job was submitted.</summary>
    public JobId? JobId { get; init; }

    /// <summary>The task that was probed last.</summary>
    public TaskId? TaskId { get; init; }

    public ReplicaPhase Phase { get; init; }

    /// <summary>Whether it runs only where nothing is taken away, whatever the workload allows.</summary>
    public bool OnDemand { get; init; }

    public DateTimeOffset Since { get; init; }

    public DateTimeOffset MadeAt { get; init; }

    public DateTimeOffset? ReadyAt { get; init; }

    public DateTimeOffset? EndedAt { get; init; }

    public string? Message { get; init; }
}
