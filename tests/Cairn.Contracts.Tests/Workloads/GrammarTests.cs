using Cairn.Contracts.Units;
using Cairn.Contracts.Workloads;

namespace Cairn.Contracts.Tests.Workloads;

public sealed class GrammarTests
{
    private const long Gibibyte = 1L << 30;

    [Theory]
    [InlineData("H100", "H100:1")]
    [InlineData("h100:8", "H100:8")]
    [InlineData("H100:8+", "H100:8..")]
    [InlineData("{H100: 8}", "H100:8")]
    [InlineData("{\"H100:8\"}", "H100:8")]
    [InlineData("{H100: 2+}", "H100:2..")]
    [InlineData("{H100:1, A100-80GB:1}", "H100,A100-80GB:1")]
    [InlineData("{H100: 1, A100: 1}", "H100,A100:1")]
    [InlineData("{H100: 1, A100: 2}", "any H100:1 A100:2")]
    [InlineData("[H100, A100-80GB]", "ordered H100:1 A100-80GB:1")]
    [InlineData("['32GB+', 'T4']", "ordered 32GB..:1 T4:1")]
    [InlineData("[H100]", "H100:1")]
    [InlineData("24GB+", "24GB..:1")]
    [InlineData("24GB..80GB", "24GB..80GiB:1")]
    [InlineData("24..80GB", "24GB..80GiB:1")]
    [InlineData("16gb", "16GB..16GiB:1")]
    [InlineData("\"..24GB\"", "..24GiB:1")]
    [InlineData("nvidia:24GB:1", "nvidia:24GB..24GiB:1")]
    [InlineData("A100:40GB..80GB:1..4", "A100:40GB..80GiB:1..4")]
    [InlineData("nvidia:H100,A100:80GB..:2", "nvidia:H100,A100:80GB..:2")]
    [InlineData("A100:0.5", "A100:0.5")]
    [InlineData("4", "4")]
    [InlineData("1..4", "1..4")]
    [InlineData("tpu:v5p", "google:V5P:1")]
    [InlineData("rtx 4090", "RTX4090:1")]
    [InlineData("{name: [H100, A100], memory: 80GB, count: 2, vendor: nvidia}", "nvidia:H100,A100:80GB..80GiB:2")]
    [InlineData("{names: H100}", "H100:1")]
    [InlineData("0", "none")]
    public void Accelerators_are_read_in_every_form_of_both_tools(string written, string meant)
    {
        var resources = Parse($"run: x\nresources:\n  accelerators: {written}\n").Resources;
        var text = (resources.AnyOf, resources.Ordered, resources.Accelerators) switch
        {
            ({ Count: > 0 } any, _, _) => "any " + string.Join(' ', any.Select(Format)),
            (_, { Count: > 0 } ordered, _) => "ordered " + string.Join(' ', ordered.Select(Format)),
            (_, _, { }) => Format(resources),
            _ => "none",
        };
        Assert.Equal(meant, text);
    }

    [Theory]
    [InlineData("8", 8.0, null)]
    [InlineData("8+", 8.0, null)]
    [InlineData("8..", 8.0, null)]
    [InlineData("8..16", 8.0, 16.0)]
    [InlineData("8..8", 8.0, 8.0)]
    [InlineData("..16", null, 16.0)]
    [InlineData("0.5", 0.5, null)]
    [InlineData("\"8+\"", 8.0, null)]
    public void Cpus_are_a_range_and_one_number_is_the_least(string written, double? min, double? max) =>
        Assert.Equal(new Range<double>(min, max), Parse($"run: x\nresources: {{cpus: {written}}}\n").Resources.Cpus);

    [Theory]
    [InlineData("64", 64_000_000_000, null)]
    [InlineData("64GB", 64_000_000_000, null)]
    [InlineData("64G", 64_000_000_000, null)]
    [InlineData("64GiB", 64 * Gibibyte, null)]
    [InlineData("64+", 64_000_000_000, null)]
    [InlineData("64GB..", 64_000_000_000, null)]
    [InlineData("512MB..1.5TB", 512_000_000, 1_500_000_000_000)]
    [InlineData("64..128GiB", 64 * Gibibyte, 128 * Gibibyte)]
    public void Memory_is_a_range_of_sizes(string written, long min, long? max) =>
        Assert.Equal(new Range<long>(min, max), Parse($"run: x\nresources: {{memory: {written}}}\n").Resources.MemoryBytes);

    [Theory]
    [InlineData("90s", 90)]
    [InlineData("90", 90)]
    [InlineData("30m", 1800)]
    [InlineData("6h", 21_600)]
    [InlineData("1d12h", 129_600)]
    [InlineData("1d 12h", 129_600)]
    [InlineData("1w", 604_800)]
    [InlineData("1.5h", 5400)]
    [InlineData("1w2d3h4m5s", 788_645)]
    public void Durations_are_read_to_the_second(string written, long seconds)
    {
        Assert.True(Duration.TryParseSeconds(written, out var read));
        Assert.Equal(seconds, read);
        Assert.True(Duration.TryParseSeconds(Duration.Format(seconds), out read));
        Assert.Equal(seconds, read);
    }

    [Theory]
    [InlineData("")]
    [InlineData("h")]
    [InlineData("1x")]
    [InlineData("1h1h")]
    [InlineData("1m1h")]
    [InlineData("1.5h30m")]
    [InlineData("-1h")]
    [InlineData("1e3")]
    [InlineData("1h30")]
    [InlineData(".5h")]
    [InlineData("5.h")]
    [InlineData("9999999999999999999h")]
    public void What_is_no_duration_is_refused(string written) => Assert.False(Duration.TryParseSeconds(written, out _));

    [Theory]
    [InlineData("$100", 100)]
    [InlineData("100 USD", 100)]
    [InlineData("100USD", 100)]
    [InlineData("4.0", 4)]
    [InlineData("$1,250.50", 1250.50)]
    [InlineData("0.000001", 0.000001)]
    public void Money_is_read_to_the_micro_dollar(string written, decimal usd)
    {
        Assert.True(MoneyText.TryParse(written, out var amount));
        Assert.Equal(Money.FromUsd(usd), amount);
        Assert.True(MoneyText.TryParse(MoneyText.Format(amount), out var again));
        Assert.Equal(amount, again);
    }

    [Theory]
    [InlineData("")]
    [InlineData("$")]
    [InlineData("-1")]
    [InlineData("1,5")]
    [InlineData("1,50,000")]
    [InlineData(",100")]
    [InlineData("1.0000001")]
    [InlineData("€5")]
    [InlineData("1e6")]
    [InlineData("9999999999999")]
    public void What_is_no_money_is_refused(string written) => Assert.False(MoneyText.TryParse(written, out _));

    [Theory]
    [InlineData("1GB", 1_000_000_000)]
    [InlineData("1 gib", Gibibyte)]
    [InlineData("0", 0)]
    [InlineData("1.5kb", 1500)]
    [InlineData("7B", 7)]
    [InlineData("2PB", 2_000_000_000_000_000)]
    public void Sizes_are_read_to_the_byte(string written, long bytes)
    {
        Assert.True(ByteSize.TryParse(written, out var read));
        Assert.Equal(bytes, read);
        Assert.True(ByteSize.TryParse(ByteSize.Format(bytes), out read));
        Assert.Equal(bytes, read);
    }

    [Fact]
    public void A_fields_value_may_be_left_out() =>
        Assert.Equal(1, Parse("run: x\nnodes:\nwhere:\nresources: ~\nsetup: null\n").Nodes);

    [Fact]
    public void Fields_beside_steps_hold_for_every_step_that_says_nothing_else()
    {
        var file = WorkloadParser.Parse(
            """
            name: chain
            env: {A: 1}
            where: {regions: [eu-*]}
            steps:
              one: {run: x, env: {B: 2}}
              two: {run: y, needs: one, where: {trust: verified}, inputs: [{name: m, step: one}]}
            """,
            "chain.yaml").File!;
        Assert.Equal("chain", file.Name);
        Assert.Equal(["1", "2"], file.Steps[0].Workload.Env.Values);
        Assert.Equal(["eu-*"], file.Steps[1].Workload.Where.Regions);
        Assert.Equal(["one"], file.Steps[1].Needs);
    }

    [Fact]
    public void An_input_of_a_step_makes_it_needed() =>
        Assert.Equal(["a"], WorkloadParser.Parse("steps:\n  a: {run: x}\n  b: {run: y, inputs: [{name: m, step: a}]}\n", "p.yaml").File!.Steps[1].Needs);

    [Fact]
    public void Documents_are_a_chain_with_or_without_a_header()
    {
        var file = WorkloadParser.Parse("name: nightly\n---\nname: prepare\nrun: x\n---\nrun: y\n---\nrun: z\n", "p.yaml").File!;
        Assert.Equal("nightly", file.Name);
        Assert.Equal(["prepare", "nightly-2", "nightly-3"], file.Steps.Select(step => step.Name));
        Assert.Equal(["", "prepare", "nightly-2"], file.Steps.Select(step => string.Join(',', step.Needs)));
        Assert.Equal(["p-1", "p-2"], WorkloadParser.Parse("run: x\n---\nrun: y\n", "p.yaml").File!.Steps.Select(step => step.Name));
    }

    [Fact]
    public void An_anchor_is_merged_and_own_keys_win()
    {
        var file = WorkloadParser.Parse("x-base: &b {nodes: 2, priority: 9}\nsteps:\n  a: {<<: *b, run: x}\n  b: {<<: *b, run: y, nodes: 3}\n", "p.yaml").File!;
        Assert.Equal([2, 3], file.Steps.Select(step => step.Workload.Nodes));
        Assert.Equal([9, 9], file.Steps.Select(step => step.Workload.Priority));
    }

    [Fact]
    public void A_near_miss_of_a_known_accelerator_is_a_warning_and_a_new_one_is_not()
    {
        var options = new WorkloadParserOptions { KnownAccelerators = ["H100-SXM-80GB", "A100-80GB", "RTX4090"] };
        var warning = Assert.Single(WorkloadParser.Parse("run: x\nresources: {accelerators: H10O}\n", "p.yaml", options).Warnings);
        Assert.Equal("p.yaml:2:27: warning: accelerators: no accelerator named 'H10O' is known; did you mean 'H100'?", warning.ToString());
        Assert.Empty(WorkloadParser.Parse("run: x\nresources: {accelerators: [ZEUS-9000, H100, A100, RTX-4090]}\n", "p.yaml", options).Warnings);
    }

    [Fact]
    public void Interpolation_warns_and_a_secret_of_its_own_name_is_one()
    {
        var result = WorkloadParser.Parse("type: task\nenv:\n  A: ${{ env.B }}\n  TOKEN: ${{ secrets.TOKEN }}\ncommands: [\"echo ${{ env.A }}\"]\n", "p.yaml");
        Assert.Equal([3, 5], result.Warnings.Select(warning => warning.Line));
        Assert.Equal(["TOKEN"], result.File!.Steps[0].Workload.Secrets);
    }

    [Fact]
    public void Sugar_of_a_tool_is_accepted_in_the_canonical_form()
    {
        var result = WorkloadParser.Parse("run: x\nnum_nodes: 2\nwhere: {trust: verified}\nresources: {use_spot: true, infra: aws/us-east-1, gpu: L4}\n", "p.yaml");
        Assert.Empty(result.Errors.Concat(result.Warnings));
        Assert.Equal(WorkloadDialect.Cairn, result.Dialect);
        var workload = result.File!.Steps[0].Workload;
        Assert.Equal((2, true), (workload.Nodes, workload.Where.Interruptible));
        Assert.Equal(["aws/us-east-1"], workload.Where.Regions);
    }

    [Fact]
    public void A_development_environment_holds_its_machine()
    {
        var workload = Parse("type: dev-environment\nide: vscode\nresources: {gpu: 24GB}\n");
        Assert.Equal((WorkloadKind.Dev, "exec sleep infinity\n"), (workload.Kind, workload.Run));
    }

    [Fact]
    public void Places_are_found_without_case_or_accents()
    {
        Assert.InRange(NamedPlaces.Names.Count, 150, 400);
        Assert.Equal(NamedPlaces.Find("Sao Paulo"), NamedPlaces.Find("são paulo"));
        Assert.Equal(NamedPlaces.Find("Zurich"), NamedPlaces.Find("ZÜRICH"));
        Assert.NotNull(NamedPlaces.Find("new-york"));
        Assert.All(NamedPlaces.Names, name => Assert.InRange(NamedPlaces.Find(name)!.Value.Latitude, -60, 70));
    }

    private static WorkloadSpec Parse(string yaml)
    {
        var result = WorkloadParser.Parse(yaml, "p.yaml");
        Assert.Empty(result.Errors);
        return result.File!.Steps[0].Workload;
    }

    /// <summary>As the canonical writer writes it.</summary>
    private static string Format(ResourceSpec resources)
    {
        var yaml = WorkloadWriter.ToYaml(new WorkloadFile
        {
            Name = "x",
            Steps = [new StepSpec { Name = "x", Workload = new WorkloadSpec { Name = "x", Resources = new ResourceSpec { Accelerators = resources.Accelerators } } }],
        });
        return yaml[(yaml.IndexOf("accelerators: ", StringComparison.Ordinal) + 14)..].Trim().Trim('"');
    }
}
