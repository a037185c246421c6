using Cairn.Contracts.Ids;
using Cairn.Contracts.Units;
using Cairn.Serving.Gateway.Pools;
using Cairn.Serving.Gateway.Routing;
using Cairn.Serving.Gateway.Snapshots;

namespace Cairn.Serving.Gateway.Calls;

/// <summary>One attempt at a request: what was decided and how it went.</summary>
/// <param name="Decision">Null where there was no replica to choose.</param>
internal sealed record AttemptRecord(string Target, RouteDecision? Decision, Func<int, string> NameOfSlot)
{
    public string? Outcome { get; set; }

    /// <summary>A target in words.</summary>
    public static string NameOf(RouteTarget target) => target switch
    {
        PoolTarget pool => $"revision {pool.Revision}",
        ProviderTarget provider => provider.Name,
        _ => target.UpstreamModel,
    };

    /// <summary>A pool's replicas in words, by their slots.</summary>
    public static Func<int, string> SlotNames(ReplicaPool? pool) => slot => pool?.Replicas.FirstOrDefault(r => r.Slot == slot) is { } replica
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

    public List<AttemptRecord> Attempts { get; } = [];

    public int PromptTokens { get; set; }

    public int PromptBlocks { get; set; }

    public double HeldMs { get; set; }

    public int? Status { get; set; }

    /// <summary>What the client was told instead of an answer.</summary>
    public string? Error { get; set; }

    public TokenUsage? Usage { get; set; }

    public Money Cost { get; set; }
}

/// <summary>The last requests, by id; older ones are overwritten. Adding is one write, finding looks through all: a person asks seldom.</summary>
internal sealed class DecisionLog
{
    private readonly CallRecord?[] _ring;
    private long _count = -1;

    public DecisionLog(int most) => _ring = new CallRecord?[most];

    public void Add(CallRecord record)
    {
        if (_ring.Length > 0)
            Volatile.Write(ref _ring[Interlocked.Increment(ref _count) % _ring.Length], record);
    }

    public CallRecord? Find(string id) => Array.Find(_ring, r => r?.Id == id);
}
