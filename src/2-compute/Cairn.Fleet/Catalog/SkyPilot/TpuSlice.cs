using System.Globalization;
using Cairn.Contracts.Offers;
using Cairn.Hardware.Facts;

namespace Cairn.Fleet.Catalog.SkyPilot;

/// <summary>Google's TPU slices, such as <c>tpu-v3-32</c> and <c>tpu-v5litepod-8</c>.</summary>
internal static class TpuSlice
{
    public static bool IsTpu(string accelerator) => accelerator.StartsWith("tpu-", StringComparison.OrdinalIgnoreCase);

    /// <summary>
    /// The number in the name counts cores up to v4 and in v5p, two to a chip, and chips in v5e and v6e (Cloud TPU documentation, "TPU
    /// configurations").
    /// </summary>
    /// <returns>The slice's chips, or null where the name is none of a known generation.</returns>
    public static OfferAccelerators? Parse(string accelerator)
    {
        var hyphen = accelerator.LastIndexOf('-');
        if (hyphen < 4 || !int.TryParse(accelerator.AsSpan(hyphen + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            || Accelerators.Find(accelerator[..hyphen]) is not { } facts)
            return null;
        var coresPerChip = facts.Name is "TPU-V2" or "TPU-V3" or "TPU-V4" or "TPU-V5P" ? 2 : 1;
        return number < coresPerChip ? null : new OfferAccelerators(facts.Name, facts.Vendor, facts.MemoryBytes, number / coresPerChip);
    }
}
