using System.Collections.Frozen;

namespace Cairn.Hardware.Discovery;

/// <summary>The processors that <c>/proc/cpuinfo</c> lists, on x86 and Arm.</summary>
internal sealed record CpuInfo(string Model, IReadOnlySet<int> Online, IReadOnlyList<string> Features)
{
    /// <summary>Flags that decide how fast numeric code runs, under the names that people use for them.</summary>
    private static readonly FrozenDictionary<string, string> s_features = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["sse4_2"] = "sse4_2", ["avx"] = "avx", ["avx2"] = "avx2", ["fma"] = "fma", ["f16c"] = "f16c", ["avx_vnni"] = "avx_vnni",
        ["avx512f"] = "avx512f", ["avx512bw"] = "avx512bw", ["avx512vl"] = "avx512vl", ["avx512_vnni"] = "avx512_vnni",
        ["avx512_bf16"] = "avx512_bf16", ["avx512_fp16"] = "avx512_fp16",
        ["amx_tile"] = "amx", ["amx_bf16"] = "amx_bf16", ["amx_int8"] = "amx_int8", ["amx_fp16"] = "amx_fp16",
        ["asimd"] = "neon", ["asimdhp"] = "neon_fp16", ["asimddp"] = "neon_dotprod",
        ["bf16"] = "bf16", ["i8mm"] = "i8mm", ["sve"] = "sve", ["sve2"] = "sve2", ["sme"] = "sme",
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>
    /// Arm's part numbers (Arm Ltd., Main ID Register of each core's reference manual), for kernels that print no model name.
    /// </summary>
    private static readonly FrozenDictionary<string, string> s_armParts = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase)
    {
        ["0xd08"] = "Cortex-A72", ["0xd0b"] = "Cortex-A76", ["0xd0c"] = "Neoverse-N1", ["0xd40"] = "Neoverse-V1",
        ["0xd42"] = "Cortex-A78AE",
        ["0xd49"] = "Neoverse-N2", ["0xd4f"] = "Neoverse-V2", ["0xd8e"] = "Neoverse-N3", ["0xd84"] = "Neoverse-V3",
    }.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);

    public static CpuInfo Read(MachineFiles files)
    {
        var online = new HashSet<int>();
        var model = "";
        var part = "";
        IReadOnlyList<string> features = [];
        foreach (var line in files.Lines("proc/cpuinfo"))
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon < 0)
                continue;
            var value = line[(colon + 1)..].Trim();
            switch (line[..colon].TrimEnd())
            {
                case "processor" when int.TryParse(value, out var number):
                    online.Add(number);
                    break;
                case "model name" when model.Length == 0:
                    model = value;
                    break;
                case "CPU part" when part.Length == 0:
                    part = value;
                    break;
                case "flags" or "Features" when features.Count == 0:
                    features = [.. value.Split(' ').Where(s_features.ContainsKey).Select(flag => s_features[flag]).Distinct()];
                    break;
            }
        }

        if (model.Length == 0 && part.Length > 0)
            model = s_armParts.GetValueOrDefault(part, $"Arm part {part}");
        return new CpuInfo(model, online, features);
    }
}
