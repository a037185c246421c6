using Cairn.Contracts.Offers;

namespace Cairn.Contracts.Workloads;

/// <summary>Where it may run. An empty list allows all.</summary>
public sealed record WhereSpec
{
    public IReadOnlyList<DeploymentModel> DeploymentModels { get; init; } = [];

    /// <summary>Provider names, compared without case.</summary>
    public IReadOnlyList<string> Providers { get; init; } = [];

    /// <summary>
    /// Region names, compared without case: <c>us-east-1</c>, <c>us-*</c>, <c>aws/us-east-1</c>, as <see cref="RegionPattern"/> reads them.
    /// </summary>
    public IReadOnlyList<string> Regions { get; init; } = [];

    /// <summary>
    /// Regions, as patterns of <see cref="RegionPattern"/>, that are taken only where no other can be had; the later in the list, the less
    /// they are wanted.
    /// </summary>
    public IReadOnlyList<string> Avoid { get; init; } = [];

    /// <summary>ISO 3166-1 country codes, or groups of them: <c>EU</c>, <c>EEA</c>. Data and compute stay inside.</summary>
    public IReadOnlyList<string> Residency { get; init; } = [];

    /// <summary>All must be held: <c>soc2</c>, <c>hipaa</c>, <c>fedramp</c>, <c>iso27001</c>, <c>pci</c>, <c>gdpr</c>.</summary>
    public IReadOnlyList<string> Certifications { get; init; } = [];

    public LatencySpec? Latency { get; init; }

    /// <summary>The least yearly availability in percent, such as 99.9; null asks for none.</summary>
    public double? AvailabilityPercent { get; init; }

    /// <summary>True where the place must go on without a network.</summary>
    public bool Offline { get; init; }

    public TrustTier Trust { get; init; } = TrustTier.Community;

    /// <summary>True allows, and prefers where cheaper, capacity that can be taken away.</summary>
    public bool Interruptible { get; init; }
}

/// <summary>The round trip from named places to the place of work.</summary>
public sealed record LatencySpec
{
    public required double MaxMs { get; init; }

    /// <summary>Every one must be within <see cref="MaxMs"/>; at least one.</summary>
    public required IReadOnlyList<PlaceSpec> From { get; init; }
}

/// <summary>A point on Earth with the name that the person used for it.</summary>
public sealed record PlaceSpec(string Name, GeoPoint Point);
