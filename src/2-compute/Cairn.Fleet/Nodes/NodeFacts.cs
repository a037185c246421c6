using Cairn.Contracts.Offers;
using Cairn.Contracts.Units;

namespace Cairn.Fleet.Nodes;

/// <summary>What a node declares and what was found in it, checked and in the words of the house. Immutable.</summary>
internal sealed record NodeFacts
{
    public required string Pool { get; init; }

    public required string Provider { get; init; }

    public required DeploymentModel DeploymentModel { get; init; }

    public required Region Region { get; init; }

    public required string InstanceType { get; init; }

    /// <summary>Of the whole machine, as declared; free where nothing was declared and no catalogue knows the machine.</summary>
    public required HourlyPrice Price { get; init; }

    public required IReadOnlyDictionary<string, string> Labels { get; init; }

    public required IReadOnlyList<string> Certifications { get; init; }

    public required TrustTier Trust { get; init; }

    public required bool WorksOffline { get; init; }

    /// <summary>True where the machine can be taken away at any time.</summary>
    public bool Preemptible { get; init; }

    public required InterconnectKind Interconnect { get; init; }

    public required double AvailabilityPercent { get; init; }

    /// <summary>True where any device is declared and not there.</summary>
    public required bool Simulated { get; init; }

    public required double Cpus { get; init; }

    public required long MemoryBytes { get; init; }

    public required long DiskBytes { get; init; }

    public required string Architecture { get; init; }

    /// <summary>In the order of their index.</summary>
    public required IReadOnlyList<NodeDevice> Devices { get; init; }

    /// <summary>
    /// The devices that are offered: those of the most frequent kind, then of the most memory. Null without devices. A machine with two
    /// kinds of card offers one of them.
    /// </summary>
    public required OfferAccelerators? Accelerators { get; init; }

    /// <summary>Under which other nodes of a gang reach this one.</summary>
    public required string Address { get; init; }
}

/// <param name="Index">How the machine numbers it.</param>
/// <param name="Name">Canonical accelerator name.</param>
/// <param name="Vendor">Lower case.</param>
/// <param name="MemoryBytes">Of the device.</param>
/// <param name="Simulated">Declared and not there.</param>
internal sealed record NodeDevice(int Index, string Name, string Vendor, long MemoryBytes, bool Simulated);
