using Cairn.Contracts.Workloads;
using Cairn.Hardware.Facts;

namespace Cairn.Hardware.Tests.Facts;

public sealed class The_table_of_accelerators
{
    [Fact]
    public void Gives_no_name_to_two_accelerators()
    {
        var names = Accelerators.All
            .SelectMany(facts => facts.Aliases.Append(facts.Name).Select(name => (Key: Accelerators.Normalize(name), facts.Name)))
            .Distinct()
            .GroupBy(entry => entry.Key)
            .Where(group => group.Count() > 1)
            .Select(group => $"{group.Key}: {string.Join(", ", group.Select(entry => entry.Name))}");
        Assert.Empty(names);
    }

    [Fact]
    public void Repeats_no_alias_within_an_accelerator() =>
        Assert.All(Accelerators.All, facts => Assert.Equal(
            facts.Aliases.Count + 1,
            facts.Aliases.Append(facts.Name).Select(Accelerators.Normalize).Distinct().Count()));

    [Fact]
    public void Names_a_data_sheet_for_every_accelerator() => Assert.All(Accelerators.All, facts =>
    {
        Assert.NotEmpty(facts.DataSheet);
        Assert.True(Uri.TryCreate(facts.DataSheetUrl, UriKind.Absolute, out var url) && url.Scheme == Uri.UriSchemeHttps, facts.Name);
    });

    [Fact]
    public void Keeps_its_units_plausible() => Assert.All(Accelerators.All, facts =>
    {
        Assert.Matches("^[A-Z0-9]+(-[A-Z0-9]+)*$", facts.Name);
        Assert.Matches("^[a-z]+$", facts.Vendor);
        Assert.InRange(facts.ReleaseYear, 2014, 2026);
        Assert.InRange(facts.MemoryBytes, 200_000_000, 600_000_000_000);
        Assert.InRange(facts.MemoryBandwidth, 3e10, 3e16);
        Assert.InRange(facts.TdpWatts ?? 100, 5, 2000);
        Assert.InRange(facts.InterconnectBandwidth ?? 1e11, 1e10, 2e12);
        foreach (var rate in new[] { facts.Fp64, facts.Fp32, facts.Tf32, facts.Bf16, facts.Fp16, facts.Fp8, facts.Fp4, facts.Int8, facts.Int4 })
            Assert.InRange(rate ?? 1e12, 1e11, 2e16);
    });

    [Fact]
    public void Never_makes_a_narrower_float_slower() => Assert.All(Accelerators.All, facts =>
    {
        double?[] widestFirst = [facts.Tf32, facts.Bf16, facts.Fp8, facts.Fp4];
        var rates = widestFirst.OfType<double>().ToArray();
        Assert.Equal(rates.Order(), rates);
        Assert.True(facts.Bf16 is null || facts.Fp16 is null || facts.Bf16 == facts.Fp16, facts.Name);
        Assert.True(facts.Int8 is null || facts.Int4 is null || facts.Int4 >= facts.Int8, facts.Name);
    });

    [Theory]
    [InlineData("H100", "H100-SXM-80GB")]
    [InlineData("NVIDIA H100 80GB HBM3", "H100-SXM-80GB")]
    [InlineData("10DE:2330", "H100-SXM-80GB")]
    [InlineData("h100_nvl", "H100-NVL-94GB")]
    [InlineData("A100", "A100-40GB")]
    [InlineData("NVIDIA A100 80GB PCIe", "A100-80GB")]
    [InlineData("rtx4090", "RTX4090")]
    [InlineData("NVIDIA GeForce RTX 4090", "RTX4090")]
    [InlineData("RTX6000-Ada", "RTX6000-ADA")]
    [InlineData("Tesla T4", "T4")]
    [InlineData("tpu-v5litepod", "TPU-V5E")]
    [InlineData("AMD Instinct MI300X OAM", "MI300X")]
    [InlineData("Jetson Orin", "JETSON-AGX-ORIN-64GB")]
    public void Knows_the_names_that_others_use(string alias, string canonical) =>
        Assert.Equal(canonical, Accelerators.Find(alias)?.Name);

    [Theory]
    [InlineData("A100", 80L << 30, "A100-80GB")]
    [InlineData("A100", 40L << 30, "A100-40GB")]
    [InlineData("H100", 95_830L << 20, "H100-NVL-94GB")]
    [InlineData("V100", 32L << 30, "V100-32GB")]
    [InlineData("A100", 80L << 20, "A100-40GB")]
    [InlineData("RTX4090", 49_140L << 20, "RTX4090")]
    public void Picks_the_form_by_memory_within_a_family_only(string name, long memoryBytes, string canonical) =>
        Assert.Equal(canonical, Accelerators.Find(name, memoryBytes)?.Name);

    [Fact]
    public void Has_what_the_founding_facts_state()
    {
        var h100 = Accelerators.Find("H100-SXM-80GB")!;
        Assert.Equal((80_000_000_000, 3.35e12, "HBM3"), (h100.MemoryBytes, h100.MemoryBandwidth, h100.MemoryKind));
        Assert.Equal((80_000_000_000, "HBM2e"), (Accelerators.Find("A100-80GB")!.MemoryBytes, Accelerators.Find("A100-80GB")!.MemoryKind));
        Assert.Equal(275, Accelerators.Find("Jetson-AGX-Orin")!.AdvertisedTops);
    }

    [Fact]
    public void Covers_the_cards_that_people_rent()
    {
        string[] wanted =
        [
            "H100-SXM-80GB", "H100-PCIE-80GB", "H100-NVL-94GB", "H200", "GH200", "A100-40GB", "A100-80GB", "B100", "B200", "GB200", "L4", "L40", "L40S",
            "A10", "A10G", "A40", "A6000", "RTX3090", "RTX4090", "RTX5090", "RTX 6000 Ada", "RTX PRO 6000", "V100", "T4", "P100", "MI210", "MI250X",
            "MI300X", "MI325X", "Gaudi 2", "Gaudi 3", "tpu-v4", "tpu-v5e", "tpu-v5p", "tpu-v6e", "Trainium1", "Trainium2", "Inferentia2", "Groq LPU",
            "Cerebras WSE-3", "Jetson AGX Orin", "Jetson Orin NX", "Jetson Orin Nano", "M4 Max",
        ];
        Assert.All(wanted, name => Assert.True(Accelerators.Find(name) is not null, name));
    }

    [Fact]
    public void Writes_its_names_as_workload_files_do() =>
        Assert.All(Accelerators.KnownNames, name => Assert.Equal(name, AcceleratorName.Canonical(name)));

    [Fact]
    public void Says_nothing_of_a_name_it_does_not_know() => Assert.Null(Accelerators.Find("H1000"));
}
