using Cairn.Frameworks.Fitting;

namespace Cairn.Frameworks.Tests.Fitting;

/// <summary>Cards of the publications, with their data sheets' dense peaks.</summary>
internal static class Cards
{
    public static readonly ServingAccelerator H100 = new()
    {
        Name = "H100-SXM-80GB", MemoryBytes = 80_000_000_000, MemoryBandwidth = 3350e9, Flops16 = 989.5e12, Flops8 = 1979e12,
            Ops8 = 1979e12,
        LinkBandwidth = 450e9,
    };

    public static readonly ServingAccelerator H200 = H100 with { Name = "H200-SXM-141GB", MemoryBytes = 141_000_000_000,
        MemoryBandwidth = 4800e9 };

    public static readonly ServingAccelerator B200 = new()
    {
        Name = "B200-180GB", MemoryBytes = 180_000_000_000, MemoryBandwidth = 8000e9, Flops16 = 2250e12, Flops8 = 4500e12, Flops4 = 9000e12,
        LinkBandwidth = 900e9,
    };

    public static readonly ServingAccelerator RtxPro6000 = new()
    {
        Name = "RTX-PRO-6000-SERVER", MemoryBytes = 96_000_000_000, MemoryBandwidth = 1597e9, Flops16 = 500e12, Flops8 = 1000e12,
            Flops4 = 2000e12,
        LinkBandwidth = 64e9,
    };

    public static readonly ServingAccelerator A100 = new()
    {
        Name = "A100-80GB", MemoryBytes = 80_000_000_000, MemoryBandwidth = 2039e9, Flops16 = 312e12, Ops8 = 624e12, LinkBandwidth = 300e9,
    };

    public static readonly ServingAccelerator A100Small = A100 with { Name = "A100-40GB", MemoryBytes = 40_000_000_000,
        MemoryBandwidth = 1555e9 };

    public static readonly ServingAccelerator L40S = new()
    {
        Name = "L40S", MemoryBytes = 48_000_000_000, MemoryBandwidth = 864e9, Flops16 = 362.05e12, Flops8 = 733e12, Ops8 = 733e12,
            LinkBandwidth = 32e9,
    };
}
