using Cairn.Contracts.Ids;
using Cairn.Contracts.Units;
using Cairn.Serving.Gateway.Pools;
using Cairn.Serving.Gateway.Routing;
using Cairn.Serving.Gateway.Snapshots;

namespace Cairn.Serving.Gateway.Calls;

/// <summary>One attempt at a request: what was decided and how it went.</summary>
/// <param name="Target">In words.</param>
/// <param name="Decision">Null where there was no replica to choose.</param>
/// <param name="Pool">What was chosen from; null for a provider.</param>
internal sealed record AttemptRecord(string Target, RouteDecision? Decision, ReplicaPool? Pool)
{
    public string? Outcome { get; set; }

    /// <summary>An attempt at somebody outside, of whom there is nothing to choose.</summary>
    public static AttemptRecord Outside(RouteTarget target) => new((target as ProviderTarget)?.Name ?? target.UpstreamModel, null, null);

    /// <summary>A replica of the pool in words; empty where it is there no more.</summary>
    public string NameOfSlot(int slot) => Pool?.Replicas.FirstOrDefault(r => r.Slot == slot) is { } replica
        ? $"{replica.Spec.Task.Value.ToString("N")[^8..]} {replica.Spec.Place}".TrimEnd() : "";
}

/// <summary>How a request was dealt with, for <c>cairn explain</c>.</summary>
internal sealed class CallRecord(string id, ProjectId project, string key, string model, DateTimeOffset at)
{
    public string Id { get; } = id;

    /// <summary>The id without its prefix; the ids of what is made for the request end in it.</summary>
    public string Number => Id[(Id.IndexOf('_', StringComparison.Ordinal) + 1)..];

    public ProjectId Project { get; } = project;

    public string Key { get; } = key;

    public string Model { get; } = model;

    public DateTimeOffset At { get; } = at;

    public List<AttemptRecord> Attempts { get; init; } = [];

    public int PromptTokens { get; set; }

    public int PromptBlocks { get; set; }

    public double HeldMs { get; set; }

    public int? Status { get; set; }

    /// <summary>What the client was told instead of an answer.</summary>
    public string? Error { get; set; }

    public TokenUsage? Usage { get; set; }

    public Money Cost { get; set; }
}
