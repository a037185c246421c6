using System.Text.Json;
using System.Text.RegularExpressions;
using Cairn.Contracts.Workloads;
using Cairn.Contracts.Workloads.Reading;
using Cairn.Contracts.Workloads.Yaml;

namespace Cairn.Contracts.Tests.Workloads;

/// <summary>Holds docs/workload-file.md, docs/workload.schema.json and examples/ against the parser.</summary>
public sealed partial class DocumentTests
{
    private static readonly string s_root = FindRoot();

    public static TheoryData<string> Examples => new(
        Directory.EnumerateFiles(Path.Combine(s_root, "examples"), "*.yaml", SearchOption.AllDirectories).Select(path => Path.GetRelativePath(s_root, path)));

    [Theory]
    [MemberData(nameof(Examples))]
    public void An_example_parses_and_is_written_back_the_same(string path)
    {
        var result = WorkloadParser.Parse(File.ReadAllBytes(Path.Combine(s_root, path)), path);
        Assert.Empty(result.Errors);
        var again = WorkloadParser.Parse(WorkloadWriter.ToYaml(result.File!), path);
        Assert.Empty(again.Errors);
        Assert.Equal(WorkloadWriter.ToYaml(result.File!), WorkloadWriter.ToYaml(again.File!));
        if (Path.GetDirectoryName(path) == "examples")
            Assert.Empty(result.Warnings);
    }

    [Fact]
    public void Each_dialect_has_an_example()
    {
        WorkloadDialect Of(string name) => WorkloadParser.Parse(File.ReadAllBytes(Path.Combine(s_root, "examples", name)), name).Dialect;
        Assert.Equal(WorkloadDialect.Cairn, Of("pipeline.yaml"));
        Assert.Equal(WorkloadDialect.SkyPilot, Of("skypilot-train.yaml"));
        Assert.Equal(WorkloadDialect.Dstack, Of("dstack-task.yaml"));
    }

    [Fact]
    public void Every_yaml_block_of_the_page_parses()
    {
        var blocks = YamlBlock().Matches(Page()).Select(match => match.Groups["yaml"].Value).ToList();
        Assert.True(blocks.Count > 10, $"{blocks.Count} blocks");
        Assert.All(blocks, block => Assert.Empty(WorkloadParser.Parse(block, "page.yaml").Errors));
    }

    [Fact]
    public void The_page_names_every_field_of_all_three_dialects()
    {
        var page = Page();
        var fields = AllFields.Canonical.Values.SelectMany(names => names)
            .Concat(Names(WorkloadFields.Table)).Concat(Names(ResourceFields.Table)).Concat(Names(ServiceFields.Table)).Concat(Names(ServiceFields.PolicyTable)).Concat(Names(ReadinessFields.SkyPilotTable))
            .Concat(Names(RetryFields.JobRecoveryTable)).Concat(Names(RetryFields.DstackTable)).Concat(Names(AcceleratorGrammar.Fields));
        Assert.All(fields.Distinct(), field => Assert.Matches($@"`[^`\n]*\b{Regex.Escape(field)}\b[^`\n]*`", page));
    }

    [Fact]
    public void The_schema_has_the_parsers_fields_and_no_others()
    {
        using var schema = JsonDocument.Parse(File.ReadAllText(Path.Combine(s_root, "docs", "workload.schema.json")));
        var root = schema.RootElement;
        var definitions = root.GetProperty("$defs");
        var top = root.GetProperty("properties");
        Assert.Equal(Sorted(AllFields.Canonical[""].Where(name => name != "needs")), Fields(root));
        Assert.Equal(Sorted(AllFields.Canonical[""].Where(name => name != "steps")), Fields(definitions.GetProperty("step")));
        Assert.Equal(Sorted(AllFields.Canonical["resources"]), Fields(definitions.GetProperty("resources")));
        Assert.Equal(Sorted(AllFields.Canonical["resources.accelerators"]), Fields(definitions.GetProperty("accelerator_parts")));
        Assert.Equal(Sorted(AllFields.Canonical["where"]), Fields(definitions.GetProperty("where")));
        Assert.Equal(Sorted(AllFields.Canonical["where.latency"]), Fields(definitions.GetProperty("where").GetProperty("properties").GetProperty("latency")));
        Assert.Equal(Sorted(AllFields.Canonical["where.latency.from"]), Fields(definitions.GetProperty("place")));
        Assert.Equal(Sorted(AllFields.Canonical["money"]), Fields(definitions.GetProperty("money_limits")));
        Assert.Equal(Sorted(AllFields.Canonical["inputs"]), Fields(definitions.GetProperty("data")));
        Assert.Equal(Sorted(AllFields.Canonical["checkpoints"]), Fields(top.GetProperty("checkpoints")));
        Assert.Equal(Sorted(AllFields.Canonical["retries"]), Fields(definitions.GetProperty("retries")));
        Assert.Equal(Sorted(AllFields.Canonical["service"]), Fields(top.GetProperty("service")));
        var service = top.GetProperty("service").GetProperty("properties");
        Assert.Equal(Sorted(AllFields.Canonical["service.on_demand"]), Fields(service.GetProperty("on_demand")));
        Assert.Equal(Sorted(AllFields.Canonical["service.mirror"]), Fields(service.GetProperty("mirror")));
        Assert.Equal(Sorted(AllFields.Canonical["service.readiness"]), Fields(service.GetProperty("readiness").GetProperty("oneOf")[1]));
        Assert.Equal(Sorted(AllFields.Canonical["service.slo"]), Fields(top.GetProperty("service").GetProperty("properties").GetProperty("slo")));
    }

    [Theory]
    [MemberData(nameof(Examples))]
    public void An_example_in_the_canonical_form_is_valid_by_the_schema(string path)
    {
        var text = File.ReadAllText(Path.Combine(s_root, path));
        if (WorkloadParser.Parse(text, path).Dialect != WorkloadDialect.Cairn)
            return;
        using var schema = JsonDocument.Parse(File.ReadAllText(Path.Combine(s_root, "docs", "workload.schema.json")));
        foreach (var document in YamlTree.Read(text, new Findings(path)))
            Assert.Null(SchemaCheck.FirstFault(schema.RootElement, schema.RootElement, document.Root!, "$"));
    }

    [Fact]
    public void The_schema_refuses_what_the_parser_refuses()
    {
        using var schema = JsonDocument.Parse(File.ReadAllText(Path.Combine(s_root, "docs", "workload.schema.json")));
        string[] wrong = ["nmae: x", "nodes: 0", "nodes: a", "kind: x", "resources: {acelerators: H100}", "where: {latency: {max: 5ms}}", "steps: {a: {steps: {}}}", "run: {a: b}"];
        foreach (var text in wrong)
            Assert.NotNull(SchemaCheck.FirstFault(schema.RootElement, schema.RootElement, YamlTree.Read(text, new Findings("x"))[0].Root!, "$"));
    }

    private static IEnumerable<string> Names<T>(FieldTable<T> table) => table.Fields.Select(field => field.Name);

    private static IEnumerable<string> Fields(JsonElement schema) => Sorted(schema.GetProperty("properties").EnumerateObject().Select(property => property.Name));

    private static IEnumerable<string> Sorted(IEnumerable<string> names) => names.Order(StringComparer.Ordinal);

    private static string Page() => File.ReadAllText(Path.Combine(s_root, "docs", "workload-file.md"));

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Cairn.slnx")))
            folder = folder.Parent;
        return folder?.FullName ?? throw new InvalidOperationException("Cairn.slnx was not found above the test's folder.");
    }

    [GeneratedRegex(@"```yaml\n(?<yaml>.*?)```", RegexOptions.Singleline)]
    private static partial Regex YamlBlock();
}
