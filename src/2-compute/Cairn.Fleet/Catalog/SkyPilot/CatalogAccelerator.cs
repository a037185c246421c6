using Cairn.Contracts.Offers;
using Cairn.Contracts.Workloads;
using Cairn.Hardware.Facts;

namespace Cairn.Fleet.Catalog.SkyPilot;

/// <summary>Finds the card that a row means, whose name and memory are both loosely kept in public catalogues.</summary>
internal static class CatalogAccelerator
{
    private const decimal Mebibyte = 1 << 20;
    private const decimal Gibibyte = 1 << 30;

    /// <param name="name">The row's <c>AcceleratorName</c>: a bare <c>A100</c> has 40 GB, unless the memory says otherwise.</param>
    /// <param name="count">Cards of the machine.</param>
    /// <param name="info">The row's <c>GpuInfo</c>, where it has one.</param>
    public static OfferAccelerators Resolve(string name, int count, GpuInfo? info)
    {
        var named = Accelerators.Find(name);
        if (named is null)
        {
            var vendor = info is { Manufacturer.Length: > 0 } ? info.Manufacturer.ToLowerInvariant() : "unknown";
            return new OfferAccelerators(AcceleratorName.Canonical(name), vendor, (long)(info is null
                ? 0 : Readings(info.Size, count).First()), count);
        }

        var facts = info is null ? named : ByMemory(named, info, count);
        if (info is { Name.Length: > 0 } && Accelerators.Find(info.Name, facts.MemoryBytes) is { } exact && IsForm(exact, facts))
            facts = exact;
        return new OfferAccelerators(facts.Name, facts.Vendor, facts.MemoryBytes, count);
    }

    /// <summary>
    /// <c>SizeInMiB</c> may be of one card or of all together, and in MiB or GiB. The reading that fits the named card wins; then one
    /// that fits another form of the same card; else the name stands.
    /// </summary>
    private static AcceleratorFacts ByMemory(AcceleratorFacts named, GpuInfo info, int count)
    {
        if (info.Size == 0)
            return named;
        var readings = Readings(info.Size, count).ToList();
        if (readings.Any(bytes => Fits(named, bytes)))
            return named;
        return readings.Select(bytes => Accelerators.Find(named.Name, (long)bytes)).FirstOrDefault(facts => facts is not null
            && facts != named) ?? named;
    }

    private static IEnumerable<decimal> Readings(decimal size, int count)
    {
        var unit = size < 1024 ? Gibibyte : Mebibyte;
        yield return size * unit;
        yield return size * unit / count;
    }

    private static bool Fits(AcceleratorFacts facts, decimal bytes) => Math.Abs(bytes - facts.MemoryBytes) <= facts.MemoryBytes * 0.08m;

    /// <summary>True where the two are forms of one card with the same memory, such as SXM and PCIe.</summary>
    private static bool IsForm(AcceleratorFacts a, AcceleratorFacts b) =>
        a.MemoryBytes == b.MemoryBytes && a.Name.Split('-')[0] == b.Name.Split('-')[0];
}
