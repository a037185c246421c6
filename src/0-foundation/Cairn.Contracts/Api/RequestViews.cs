using Cairn.Contracts.Units;

namespace Cairn.Contracts.Api;

/// <summary>
/// GET /api/v1/requests/{id}: how the gateway dealt with a request, by the id in its <c>x-request-id</c>. Only the last 10,000 are
/// remembered, in memory.
/// </summary>
public sealed record RequestView
{
    public required string Id { get; init; }

    public required DateTimeOffset At { get; init; }

    public required string Model { get; init; }

    /// <summary>The key's name.</summary>
    public required string Key { get; init; }

    /// <summary>The gateway that took it, where one that runs alone did; null where the server itself did.</summary>
    public string? Gateway { get; init; }

    /// <summary>HTTP's, as the client was told; null while it is under way.</summary>
    public int? Status { get; init; }

    /// <summary>What the client was told instead of an answer.</summary>
    public string? Error { get; init; }

    /// <summary>As estimated from the prompt's bytes, for routing.</summary>
    public int PromptTokens { get; init; }

    /// <summary>Blocks of the prompt that replicas are compared by.</summary>
    public int PromptBlocks { get; init; }

    /// <summary>How long it waited for a replica.</summary>
    public double HeldMs { get; init; }

    public long? InputTokens { get; init; }

    public long? CachedTokens { get; init; }

    public long? OutputTokens { get; init; }

    /// <summary>Whether the target told no usage and it was counted from bytes and chunks.</summary>
    public bool EstimatedUsage { get; init; }

    public Money Cost { get; init; }

    /// <summary>In their order; none where a limit refused it.</summary>
    public required IReadOnlyList<RequestAttemptView> Attempts { get; init; }
}

/// <summary>One try at one target.</summary>
public sealed record RequestAttemptView
{
    /// <summary>A revision of the endpoint, or a provider.</summary>
    public required string Target { get; init; }

    /// <summary>How it went; null while it is under way.</summary>
    public string? Outcome { get; init; }

    /// <summary>
    /// One of <c>chosen</c>, <c>saturated</c>, <c>no_replica</c>; null where a provider was asked, which has no replicas.
    /// </summary>
    public string? Decision { get; init; }

    /// <summary>The replicas that were weighed, cheapest first.</summary>
    public IReadOnlyList<RequestCandidateView>? Candidates { get; init; }

    /// <summary>How many were left out because they were not ready.</summary>
    public int Unready { get; init; }

    public int Draining { get; init; }

    /// <summary>Left out because they failed too often lately.</summary>
    public int Broken { get; init; }

    /// <summary>Left out because they had all the requests that they may have.</summary>
    public int Full { get; init; }

    /// <summary>Left out because they failed this request before.</summary>
    public int Tried { get; init; }
}

/// <summary>A replica that was weighed. Every term is in tokens of work; the smallest sum is chosen.</summary>
/// <param name="Prefill">Prompt tokens that it would have to compute.</param>
/// <param name="Queue">What it still has to do.</param>
/// <param name="Distance">How much farther away than the nearest it is.</param>
/// <param name="Adapter">Loading an adapter that it does not have.</param>
/// <param name="CachePressure">What a nearly full cache will cost.</param>
/// <param name="Session">At most 0: for the replica that the session has been at.</param>
public sealed record RequestCandidateView(
    string Replica, bool Chosen, double Cost, double Prefill, double Queue, double Distance, double Adapter, double CachePressure, double Session);
