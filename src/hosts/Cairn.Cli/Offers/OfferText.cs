using Cairn.Cli.CommandLine;
using Cairn.Contracts.Api;

namespace Cairn.Cli.Offers;

/// <summary>How an offer reads in a table.</summary>
internal static class OfferText
{
    public static string Name(OfferView offer) =>
        Words.Escape($"{offer.Provider}/{offer.Region}/{offer.InstanceType}") + Words.SimulatedMark(offer.Simulated);

    /// <summary>The machine with its accelerators, and how many of it.</summary>
    public static string Machine(OfferView offer, int machines) =>
        Words.Escape((machines > 1 ? $"{machines} × " : "") + offer.InstanceType + (offer.Accelerator is null ? "" : $" ({Gpu(offer)})")) +
        Words.SimulatedMark(offer.Simulated);

    public static string Gpu(OfferView offer) => offer.Accelerator is null ? "–" : $"{offer.Accelerator}:{offer.AcceleratorCount}";
}
