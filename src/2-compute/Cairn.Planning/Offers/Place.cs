using Cairn.Contracts.Offers;

namespace Cairn.Planning.Offers;

/// <summary>What the offers of one place have in common: everything that decides about data and distance.</summary>
/// <param name="ProviderKey">The same for two places of one provider, whatever its case.</param>
/// <param name="RegionKey">The same for two places of one region of one provider.</param>
internal sealed record Place(
    string Provider,
    DeploymentModel DeploymentModel,
    Region Region,
    EgressPrices Egress,
    long StorageMicros,
    int ProviderKey,
    int RegionKey);

/// <summary>What a place promises beyond where it is.</summary>
internal sealed record Standing(
    IReadOnlyList<string> Certifications,
    double AvailabilityPercent,
    bool WorksOffline,
    TrustTier Trust,
    InterconnectKind Interconnect,
    IReadOnlyDictionary<string, string> Labels,
    bool Preemptible);

/// <summary>The size of one machine.</summary>
internal sealed record Shape(OfferAccelerators? Accelerators, bool Divisible, double Cpus, long MemoryBytes, long DiskBytes)
{
    /// <summary>Into how many rentable parts the machine divides: its accelerators, or its whole CPUs where it has none.</summary>
    public int Parts => !Divisible ? 1 : Accelerators is { } a ? Math.Max(1, a.Count) : (int)Math.Clamp(Cpus, 1, 4096);
}

/// <summary>How time is billed and how often machines are lost.</summary>
internal readonly record struct Terms(
    int IncrementSeconds,
    int MinimumSeconds,
    int BootSeconds,
    bool BootBilled,
    double InterruptionsPerHour,
    double FailuresPerHour,
    long ReservedTermSeconds)
{
    public static Terms Of(Offer offer) => new(
        Math.Max(1, offer.BillingIncrementSeconds),
        Math.Max(0, offer.BillingMinimumSeconds),
        Math.Max(0, offer.BootSeconds),
        offer.BootBilled,
        Rate(offer.InterruptionsPerHour),
        Rate(offer.FailuresPerHour),
        Math.Max(0, offer.ReservedTermSeconds));

    private static double Rate(double perHour) => double.IsFinite(perHour) && perHour > 0 ? perHour : 0;
}
