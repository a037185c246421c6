namespace Cairn.Serving.Gateway.Routing;

/// <summary>
/// What a decision weighs. Everything is counted in tokens of work, so that a cached prefix, a queue and a distance can be held against
/// each other: the cost of a replica is what it would have to compute for this request plus what it still has to do (Dynamo's router,
/// docs of KV-cache-aware routing: prefill blocks to compute plus active decode blocks).
/// </summary>
public sealed class RoutingOptions
{
    /// <summary>Weight of prompt tokens that are not cached; default 1. 0 turns prefix affinity off.</summary>
    public double PrefillWeight { get; set; } = 1;

    /// <summary>Weight of tokens in flight; default 1. Larger spreads more evenly, smaller holds on to caches longer.</summary>
    public double QueueWeight { get; set; } = 1;

    /// <summary>
    /// Tokens of work that a millisecond of distance is worth; default 4, about what a prefill does in that time on a small accelerator.
    /// </summary>
    public double TokensPerMillisecond { get; set; } = 4;

    /// <summary>Replicas at most this much farther than the nearest count as near, milliseconds; default 10.</summary>
    public double NearMilliseconds { get; set; } = 10;

    /// <summary>Tokens of work that each request stands for which the engine has and this gateway did not send; default 512.</summary>
    public double TokensElsewhere { get; set; } = 512;

    /// <summary>Tokens of work that loading an adapter is worth; default 2,000.</summary>
    public double AdapterLoadTokens { get; set; } = 2_000;

    /// <summary>Tokens of work that going on with a session's replica saves beside the prefix; default 64: it breaks ties and little more.</summary>
    public double SessionTokens { get; set; } = 64;

    /// <summary>
    /// The cache usage above which a replica is under pressure, 0 to 1; default 0.8, as the inference-gateway's saturation detector.
    /// </summary>
    public double CachePressureAt { get; set; } = 0.8;

    /// <summary>Tokens of work that a full cache is worth; grows from 0 at the pressure's beginning. Default 4,000.</summary>
    public double CachePressureTokens { get; set; } = 4_000;

    /// <summary>Every mistake, in words; empty where the options can be used.</summary>
    public IReadOnlyList<string> Problems()
    {
        var problems = new List<string>();
        void NotNegative(double value, string name)
        {
            if (!(value >= 0) || double.IsInfinity(value))
                problems.Add($"{name} is {value}; expected a number of at least 0.");
        }

        NotNegative(PrefillWeight, nameof(PrefillWeight));
        NotNegative(QueueWeight, nameof(QueueWeight));
        NotNegative(TokensPerMillisecond, nameof(TokensPerMillisecond));
        NotNegative(NearMilliseconds, nameof(NearMilliseconds));
        NotNegative(TokensElsewhere, nameof(TokensElsewhere));
        NotNegative(AdapterLoadTokens, nameof(AdapterLoadTokens));
        NotNegative(SessionTokens, nameof(SessionTokens));
        NotNegative(CachePressureTokens, nameof(CachePressureTokens));
        if (CachePressureAt is not (>= 0 and < 1))
            problems.Add($"{nameof(CachePressureAt)} is {CachePressureAt}; expected 0 up to, but not, 1.");
        return problems;
    }
}
