using System.Text.Json;
using System.Text.Json.Serialization;

namespace Cairn.Hardware.Facts;

/// <summary>
/// Reads <c>accelerators.json</c>, in whose field names the units stand: gigabytes are 10⁹ bytes, tera is 10¹² operations per second.
/// </summary>
internal static class AcceleratorTable
{
    private const double Giga = 1e9;
    private const double Tera = 1e12;

    public static IReadOnlyList<AcceleratorFacts> Load()
    {
        using var stream = typeof(AcceleratorTable).Assembly.GetManifestResourceStream("accelerators.json")
            ?? throw new InvalidOperationException("accelerators.json is not embedded in Cairn.Hardware.");
        var rows = JsonSerializer.Deserialize(stream, AcceleratorTableJson.Default.ListRow)!;
        return [.. rows.Select(row => row.ToFacts())];
    }

    /// <summary>One entry of the file.</summary>
    internal sealed record Row(
        string Name, string Vendor, string Architecture, int ReleaseYear, double MemoryGb, string MemoryKind, double BandwidthGbPerS,
        double? Fp64Tera, double? Fp32Tera, double? Tf32Tera, double? Bf16Tera, double? Fp16Tera, double? Fp8Tera, double? Fp4Tera,
        double? Int8Tera, double? Int4Tera, double? AdvertisedTops, string? Interconnect, double? InterconnectGbPerS, double? TdpWatts,
        string[] Aliases, string DataSheet, string DataSheetUrl, string? Note)
    {
        public AcceleratorFacts ToFacts() => new()
        {
            Name = Name,
            Vendor = Vendor,
            Architecture = Architecture,
            ReleaseYear = ReleaseYear,
            MemoryBytes = (long)Math.Round(MemoryGb * Giga),
            MemoryKind = MemoryKind,
            MemoryBandwidth = BandwidthGbPerS * Giga,
            Fp64 = Fp64Tera * Tera,
            Fp32 = Fp32Tera * Tera,
            Tf32 = Tf32Tera * Tera,
            Bf16 = Bf16Tera * Tera,
            Fp16 = Fp16Tera * Tera,
            Fp8 = Fp8Tera * Tera,
            Fp4 = Fp4Tera * Tera,
            Int8 = Int8Tera * Tera,
            Int4 = Int4Tera * Tera,
            AdvertisedTops = AdvertisedTops,
            Interconnect = Interconnect,
            InterconnectBandwidth = InterconnectGbPerS * Giga,
            TdpWatts = TdpWatts,
            Aliases = Aliases,
            DataSheet = DataSheet,
            DataSheetUrl = DataSheetUrl,
            Note = Note,
        };
    }
}

/// <summary>Made at build time: the serializer's own set-up would take longer than reading the file.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(List<AcceleratorTable.Row>))]
internal sealed partial class AcceleratorTableJson : JsonSerializerContext;
