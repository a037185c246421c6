using Cairn.Contracts.Offers;

namespace Cairn.Planning;

/// <summary>The facts besides offers that a plan depends on. Every one has a default; <see cref="Default"/> has them all.</summary>
public sealed record PlanningContext
{
    public static readonly PlanningContext Default = new();

    /// <summary>Where inputs without a place come from and outputs without a place go to.</summary>
    public ControlPlanePlace ControlPlane { get; init; } = new();

    /// <summary>
    /// Bytes that have left each provider over the internet since the start of the month; further data is priced from there on the ladder. Provider
    /// names are compared as the dictionary compares them. Default none.
    /// </summary>
    public IReadOnlyDictionary<string, long> EgressBytesThisMonth { get; init; } =
        new SortedDictionary<string, long>(StringComparer.OrdinalIgnoreCase);

    /// <summary>
    /// Egress prices of places that inputs come from, by <c>PROVIDER/REGION</c> or <c>PROVIDER</c>. Where a place is not here, the cheapest of the
    /// provider's offers there, then anywhere, stands for it; a provider without offers is taken to ask nothing.
    /// </summary>
    public IReadOnlyDictionary<string, EgressPrices> SourceEgress { get; init; } =
        new SortedDictionary<string, EgressPrices>(StringComparer.OrdinalIgnoreCase);

    /// <summary>
    /// Which provider keeps the buckets of a URL scheme. Default: <c>s3</c> AWS, <c>gs</c> GCP, <c>abfs</c>, <c>abfss</c> and
    /// <c>azure</c> Azure.
    /// </summary>
    public IReadOnlyDictionary<string, string> BucketProviders { get; init; } =
        new SortedDictionary<string, string>(StringComparer.OrdinalIgnoreCase)
        {
            ["s3"] = "AWS", ["gs"] = "GCP", ["azure"] = "Azure", ["abfs"] = "Azure", ["abfss"] = "Azure",
        };

    /// <summary>Shares of the price of machines that somebody asks on top. The first rule that fits an offer counts. Default none.</summary>
    public IReadOnlyList<FeeRule> Fees { get; init; } = [];

    /// <summary>Machines free now, by offer id, in place of <see cref="Offer.Capacity"/>. Default none.</summary>
    public IReadOnlyDictionary<string, int> FreeMachines { get; init; } = new SortedDictionary<string, int>(StringComparer.Ordinal);

    /// <summary>How fast data comes from or goes to another provider, in bytes per second. Default 125,000,000 (1 Gbit/s).</summary>
    public long InternetBytesPerSecond { get; init; } = 125_000_000;

    /// <summary>How fast data moves within one provider, in bytes per second. Default 1,250,000,000 (10 Gbit/s).</summary>
    public long ProviderBytesPerSecond { get; init; } = 1_250_000_000;
}

/// <summary>Where the control plane and its artifact store are.</summary>
public sealed record ControlPlanePlace
{
    /// <summary>Null where it stands at none of the providers; then everything between it and a place goes over the internet.</summary>
    public string? Provider { get; init; }

    public string? Region { get; init; }

    /// <summary>What data leaving it costs. Default nothing.</summary>
    public EgressPrices Egress { get; init; } = new();
}

/// <summary>A fee on the price of machines: compute, boot, idle, minimum and interruption.</summary>
/// <param name="BasisPoints">Hundredths of a percent, 0 to 10,000.</param>
/// <param name="Name">Who asks it, as the bill says.</param>
/// <param name="DeploymentModel">Only offers of this model; null means all.</param>
/// <param name="Provider">Only offers of this provider, compared without case; null means all.</param>
public sealed record FeeRule(int BasisPoints, string Name, DeploymentModel? DeploymentModel = null, string? Provider = null);
