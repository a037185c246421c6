using Cairn.Contracts.Api;
using Cairn.Contracts.Offers;
using Cairn.Frameworks.Fitting;
using Cairn.Hardware.Facts;

namespace Cairn.Cli.ModelCatalog;

/// <summary>Data sheets and offers in the words of the fit's arithmetic.</summary>
internal static class CardFacts
{
    /// <summary>A link's data sheet figure counts both directions; a transfer has one.</summary>
    public static ServingAccelerator Of(AcceleratorFacts facts, long? memoryBytes = null) => new()
    {
        Name = facts.Name,
        MemoryBytes = memoryBytes is > 0 and { } bytes ? bytes : facts.MemoryBytes,
        MemoryBandwidth = facts.MemoryBandwidth,
        Flops16 = facts.Bf16 ?? facts.Fp16 ?? facts.Fp32,
        Flops8 = facts.Fp8,
        Flops4 = facts.Fp4,
        Ops8 = facts.Int8,
        LinkBandwidth = facts.InterconnectBandwidth / 2,
    };

    /// <returns>Null where the offer has no accelerator or one that has no data sheet here.</returns>
    public static ServingMachine? Of(OfferView offer, int mostMachines) =>
        offer.Accelerator is { } name && Accelerators.Find(name, offer.AcceleratorMemoryBytes) is { } facts
            ? new ServingMachine(
                Of(facts, offer.AcceleratorMemoryBytes), Math.Max(1, offer.AcceleratorCount),
                Network(offer.Interconnect) is null ? 1 : Math.Min(mostMachines, offer.Capacity ?? mostMachines),
                    Network(offer.Interconnect) ?? 1)
            : null;

    // Bytes per second and direction: 100 Gbit/s, and 400 Gbit/s with RDMA. A pipeline over less is not proposed.
    private static double? Network(InterconnectKind kind) => kind switch
    {
        InterconnectKind.FastEthernet => 12.5e9,
        InterconnectKind.Roce or InterconnectKind.Infiniband => 50e9,
        _ => null,
    };
}
