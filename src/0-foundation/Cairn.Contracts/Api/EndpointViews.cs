using Cairn.Contracts.Ids;
using Cairn.Contracts.Units;

namespace Cairn.Contracts.Api;

/// <summary>POST /api/v1/endpoints, and POST /api/v1/endpoints/{endpoint}/rollout. The body of <c>cairn serve</c>.</summary>
public sealed record ServeRequest
{
    /// <summary>The workload file's text, in any accepted dialect; it has a service.</summary>
    public required string Workload { get; init; }

    /// <summary>The file's name for messages; default <c>workload.yaml</c>.</summary>
    public string? FileName { get; init; }

    /// <summary>The endpoint's name; by default the workload's.</summary>
    public string? Name { get; init; }

    /// <summary>
    /// The name that clients call the model by; by default the workload's <c>service.model</c>, else the endpoint's name if its replicas
    /// say that they serve a model. Empty: it serves no model.
    /// </summary>
    public string? Model { get; init; }

    /// <summary>The name that the replicas know the model by; by default the workload's <c>service.model</c>, else the same.</summary>
    public string? UpstreamModel { get; init; }

    /// <summary>Added to, and replacing, the workload's own.</summary>
    public IReadOnlyDictionary<string, string>? Env { get; init; }

    /// <summary>Values of the secrets that the workload names. Kept sealed, never returned.</summary>
    public IReadOnlyDictionary<string, string>? Secrets { get; init; }

    /// <summary><c>PROVIDER</c> or <c>PROVIDER/REGION</c>: run there and nowhere else.</summary>
    public string? At { get; init; }

    /// <summary>The working directory; its blobs are uploaded before.</summary>
    public ApiManifest? Workdir { get; init; }

    /// <summary>Replaces the workload's bounds and targets.</summary>
    public ScalingRequest? Scaling { get; init; }

    /// <summary>Dollars per million prompt tokens that users are charged; default 0.</summary>
    public decimal? InputPrice { get; init; }

    /// <summary>Dollars per million output tokens that users are charged; default 0.</summary>
    public decimal? OutputPrice { get; init; }

    /// <summary>Prompt and output together, in tokens; 0 where unknown.</summary>
    public int? ContextLength { get; init; }

    /// <summary>Requests that one replica has at once; more wait in line. Default: no limit.</summary>
    public int? ReplicaConcurrency { get; init; }

    /// <summary>Models that answer where this one cannot.</summary>
    public IReadOnlyList<string>? Fallbacks { get; init; }

    /// <summary>
    /// DNS names of the endpoint's own, in place of the workload's; null takes those. Of a rollout: null, and none in the workload,
    /// leaves them.
    /// </summary>
    public IReadOnlyList<string>? Hosts { get; init; }

    /// <summary>
    /// Of a rollout: the share of requests, 1 to 99 percent, that the new revision gets until it is promoted; null replaces replica by
    /// replica.
    /// </summary>
    public int? CanaryPercent { get; init; }
}

/// <summary>POST /api/v1/endpoints/{endpoint}/scale: what is named replaces what was.</summary>
public sealed record ScalingRequest
{
    public int? Min { get; init; }

    public int? Max { get; init; }

    public double? TargetConcurrency { get; init; }

    public double? TargetRequestsPerSecond { get; init; }

    public double? TimeToFirstTokenMs { get; init; }

    /// <summary>What is averaged in calm times, 6 to 3,600; a tenth of it notices bursts.</summary>
    public double? WindowSeconds { get; init; }

    public double? ScaleDownDelaySeconds { get; init; }

    public double? ScaleToZeroDelaySeconds { get; init; }

    /// <summary>What all replicas together may cost per hour.</summary>
    public decimal? SpendCapUsdPerHour { get; init; }
}

/// <summary>POST /api/v1/endpoints/{endpoint}/hosts.</summary>
/// <param name="Hosts">Takes the place of all that there were; empty leaves it none.</param>
public sealed record HostsRequest(IReadOnlyList<string>? Hosts);

/// <summary>POST /api/v1/endpoints/{endpoint}/canary.</summary>
/// <param name="Percent">0 takes the canary back, 100 promotes it.</param>
public sealed record CanaryRequest(int Percent);

/// <summary>GET /api/v1/endpoints and /endpoints/{name or id}.</summary>
public sealed record EndpointView
{
    public required EndpointId Id { get; init; }

    public required string Name { get; init; }

    public required string Project { get; init; }

    /// <summary>The name that clients call the model by; null where it serves no model.</summary>
    public string? Model { get; init; }

    /// <summary>One of <c>starting</c>, <c>ready</c>, <c>asleep</c>, <c>rolling_out</c>, <c>failing</c>, <c>stopping</c>, <c>stopped</c>.</summary>
    public required string Phase { get; init; }

    /// <summary>Why, in words.</summary>
    public string? Message { get; init; }

    public required int Revision { get; init; }

    public int? CanaryRevision { get; init; }

    public int? CanaryPercent { get; init; }

    public required int Min { get; init; }

    public required int Max { get; init; }

    public required int Wanted { get; init; }

    public required int Ready { get; init; }

    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>The price of all its replicas for one hour.</summary>
    public HourlyPrice Hourly { get; init; }

    /// <summary>Dollars per million tokens that users are charged.</summary>
    public decimal InputPrice { get; init; }

    public decimal OutputPrice { get; init; }

    /// <summary>Requests, running and queued, now.</summary>
    public double Concurrency { get; init; }

    /// <summary>Below the server's address: where any HTTP request reaches a replica.</summary>
    public string? Path { get; init; }

    /// <summary>DNS names of its own: OpenAI's paths there reach its model, every other path the same path at a replica.</summary>
    public IReadOnlyList<string> Hosts { get; init; } = [];

    /// <summary>Only with one endpoint.</summary>
    public IReadOnlyList<ReplicaView>? Replicas { get; init; }

    /// <summary>
    /// Only with one endpoint: how its revisions deal with requests, copies of other endpoints' among them; those that had any since the
    /// gateway began.
    /// </summary>
    public IReadOnlyList<RevisionView>? Revisions { get; init; }

    /// <summary>Only with one endpoint: what happened, newest first.</summary>
    public IReadOnlyList<EndpointEventView>? Events { get; init; }
}

/// <summary>How one revision of an endpoint deals with requests.</summary>
/// <param name="Requests">Those that ended, or were tried elsewhere.</param>
/// <param name="Failures">Of them: replicas that could not be reached, broke off, or said that they cannot.</param>
/// <param name="FirstTokenP90Ms">The 90th percentile of the time to the answer's first byte, in milliseconds; null without answers.</param>
public sealed record RevisionView(int Number, long Requests, long Failures, double? FirstTokenP90Ms);

public sealed record ReplicaView
{
    public required Guid Id { get; init; }

    public required int Revision { get; init; }

    /// <summary>One of <c>starting</c>, <c>ready</c>, <c>draining</c>.</summary>
    public required string Phase { get; init; }

    public required string Job { get; init; }

    public string? Node { get; init; }

    public string? Place { get; init; }

    public HourlyPrice Hourly { get; init; }

    public bool Simulated { get; init; }

    public DateTimeOffset StartedAt { get; init; }

    public DateTimeOffset? ReadyAt { get; init; }

    public int InFlight { get; init; }

    public string? Message { get; init; }
}

public sealed record EndpointEventView(DateTimeOffset At, string Kind, string Message);
