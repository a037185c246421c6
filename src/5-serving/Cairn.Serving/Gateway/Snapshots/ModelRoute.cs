using System.Text.Json.Serialization;
using Cairn.Contracts.Ids;

namespace Cairn.Serving.Gateway.Snapshots;

/// <summary>Where requests for a model go.</summary>
public sealed record ModelRoute
{
    public required ModelName Name { get; init; }

    /// <summary>
    /// Pools of replicas and providers outside, by weight; those with weight 0 get requests only when the others cannot answer, in their
    /// order.
    /// </summary>
    public required IReadOnlyList<RouteTarget> Targets { get; init; }

    /// <summary>Where copies of some requests go; null copies none.</summary>
    public MirrorTarget? Mirror { get; init; }

    /// <summary>Other models of the project that answer where no target can, in their order; theirs are not asked in turn.</summary>
    public IReadOnlyList<string> Fallbacks { get; init; } = [];

    /// <summary>The adapter that the name stands for, as replicas know it; null where it stands for the model itself.</summary>
    public string? Adapter { get; init; }

    /// <summary>Prompt and output together, in tokens; 0 where unknown.</summary>
    public int ContextLength { get; init; }

    /// <summary>What is reserved for, and allowed to, a request that names no maximum of its own, in tokens; default 4,096.</summary>
    public int DefaultOutputTokens { get; init; } = 4096;

    /// <summary>
    /// A non-streamed request that has no answer after this is sent to a second replica as well, and the first answer counts; null never
    /// hedges.
    /// </summary>
    public TimeSpan? HedgeAfter { get; init; }

    /// <summary>How long a request waits for a sleeping endpoint's replica; default 60 s.</summary>
    public TimeSpan HoldTime { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How many may wait; one more is refused. Default 100.</summary>
    public int HoldLimit { get; init; } = 100;

    public TokenPrices Prices { get; init; } = TokenPrices.Free;

    /// <summary>When the model was first served.</summary>
    public DateTimeOffset Created { get; init; }
}

/// <summary>An endpoint that gets copies of requests, and whose answers nobody hears.</summary>
/// <param name="Endpoint">Its name, in the route's project. One that is not there gets none.</param>
/// <param name="Percent">Share of the requests, 1 to 100.</param>
public sealed record MirrorTarget(string Endpoint, int Percent);

/// <summary>One of a model's targets.</summary>
[JsonDerivedType(typeof(PoolTarget), "pool")]
[JsonDerivedType(typeof(ProviderTarget), "provider")]
public abstract record RouteTarget
{
    /// <summary>Share of the requests among the weights of all targets; default 100. A canary of 5 % is 5 beside 95.</summary>
    public int Weight { get; init; } = 100;

    /// <summary>What its tokens cost their user; null takes the prices of the model that was asked for.</summary>
    public TokenPrices? Prices { get; init; }

    /// <summary>The name that the target knows the model by.</summary>
    public required string UpstreamModel { get; init; }
}

/// <summary>One revision of an endpoint: its replicas.</summary>
public sealed record PoolTarget : RouteTarget
{
    public required EndpointId Endpoint { get; init; }

    public required int Revision { get; init; }

    public required IReadOnlyList<ReplicaSpec> Replicas { get; init; }
}

/// <summary>A replica as the control plane sees it.</summary>
public sealed record ReplicaSpec
{
    /// <summary>The task behind it; never used again.</summary>
    public required TaskId Task { get; init; }

    /// <summary>Where it answers: <c>http://host:port</c>, dialled directly, or through the tunnel of the node that runs the task.</summary>
    public required Uri Address { get; init; }

    /// <summary>Where it speaks gRPC, HTTP/2 without TLS, at the same host; 0 where it does not.</summary>
    public int GrpcPort { get; init; }

    /// <summary>Whether the address is inside the node and the node's tunnel leads there.</summary>
    public bool Tunnelled { get; init; }

    /// <summary>Answers its readiness probe.</summary>
    public bool Ready { get; init; }

    /// <summary>Gets nothing new.</summary>
    public bool Draining { get; init; }

    /// <summary>Most requests at once; 0 sets no limit.</summary>
    public int MostRequests { get; init; }

    /// <summary>Round trip from the gateway, milliseconds.</summary>
    public float LatencyMs { get; init; }

    /// <summary>Where it is, for people.</summary>
    public string Place { get; init; } = "";
}

/// <summary>A provider outside that stands behind a model's name.</summary>
public sealed record ProviderTarget : RouteTarget
{
    /// <summary>For people and headers.</summary>
    public required string Name { get; init; }

    /// <summary>Such as <c>https://api.example.com/v1</c>, without a slash at the end.</summary>
    public required Uri BaseUrl { get; init; }

    public required ApiDialect Dialect { get; init; }

    /// <summary>The provider's key. Never logged, never shown.</summary>
    public required string Credential { get; init; }

    protected override bool PrintMembers(System.Text.StringBuilder text)
    {
        text.Append("Name = ").Append(Name).Append(", BaseUrl = ").Append(BaseUrl);
        return true;
    }
}

/// <summary>What a provider speaks.</summary>
public enum ApiDialect
{
    OpenAi,
    Anthropic,
}
