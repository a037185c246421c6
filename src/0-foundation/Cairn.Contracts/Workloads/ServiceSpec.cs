namespace Cairn.Contracts.Workloads;

/// <summary>How a served port scales and when it is well.</summary>
public sealed record ServiceSpec
{
    public required int Port { get; init; }

    /// <summary>Where it speaks gRPC beside <see cref="Port"/>; 0 where it does not, or where its program reads <c>$GRPC_PORT</c>.</summary>
    public int GrpcPort { get; init; }

    public int MinReplicas { get; init; } = 1;

    public int MaxReplicas { get; init; } = 1;

    /// <summary>The path that answers 2xx when a replica is ready.</summary>
    public string? ReadinessPath { get; init; }

    /// <summary>Sent to <see cref="ReadinessPath"/> with POST; null asks with GET.</summary>
    public string? ReadinessBody { get; init; }

    /// <summary>Sent with every question whether a replica is ready.</summary>
    public IReadOnlyDictionary<string, string> ReadinessHeaders { get; init; } = new SortedDictionary<string, string>(StringComparer.Ordinal);

    /// <summary>How long one such question may take, in seconds; default 10.</summary>
    public long ReadinessTimeoutSeconds { get; init; } = 10;

    /// <summary>A replica that runs so long without having been ready has failed, in seconds; null waits without end.</summary>
    public long? StartWithinSeconds { get; init; }

    /// <summary>The model's name for OpenAI clients.</summary>
    public string? Model { get; init; }

    /// <summary>DNS names of its own, in lower case: requests for one of them go to this service.</summary>
    public IReadOnlyList<string> Hosts { get; init; } = [];

    /// <summary>Adapters of the model that replicas can load, by the names under which they answer. Each is a model's name for clients too.</summary>
    public IReadOnlyList<string> Adapters { get; init; } = [];

    /// <summary>Replicas go to regions that have fewest of them, where those can be had, though others be cheaper.</summary>
    public bool Spread { get; init; }

    /// <summary>Requests per second that one replica is meant to carry.</summary>
    public double? TargetRequestsPerSecond { get; init; }

    /// <summary>Fewer replicas only after less was wanted for so long, in seconds; null leaves it to the autoscaler.</summary>
    public long? ScaleDownDelaySeconds { get; init; }

    /// <summary>The time to first token that users should see, in milliseconds.</summary>
    public double? TimeToFirstTokenMs { get; init; }

    /// <summary>The share of time, 0 to 1, in which a replica works; the rest is idle and billed. Default 1.</summary>
    public double Utilization { get; init; } = 1;

    /// <summary>Replicas that run where nothing is taken away, 0 to 10,000, whatever <see cref="WhereSpec.Interruptible"/> says. Default 0.</summary>
    public int OnDemandBase { get; init; }

    /// <summary>Of the replicas above <see cref="OnDemandBase"/>, the percentage, 0 to 100, that run so too. Default 0.</summary>
    public double OnDemandPercent { get; init; }

    /// <summary>Where copies of some of its requests go; null copies none.</summary>
    public MirrorSpec? Mirror { get; init; }
}

/// <summary>Copies of some of a service's requests to models, whose answers nobody hears.</summary>
/// <param name="Endpoint">The name of another endpoint of the project.</param>
/// <param name="Percent">Share of the requests, 1 to 100.</param>
public sealed record MirrorSpec(string Endpoint, int Percent);
