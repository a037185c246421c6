using System.Text.Json;
using Cairn.Contracts.Api;
using Cairn.Contracts.Workloads;
using CsCheck;

namespace Cairn.Contracts.Tests.Workloads;

public sealed class RoundTripTests
{
    [Fact]
    public void What_is_written_as_yaml_reads_back_the_same() => WorkloadGen.File.Sample(
        file =>
        {
            var yaml = WorkloadWriter.ToYaml(file);
            var result = WorkloadParser.Parse(yaml, "x.yaml");
            Assert.True(result.Errors.Count == 0, $"{string.Join('\n', result.Errors)}\n{yaml}");
            Assert.Equal(Json(file), Json(result.File!));
        },
        iter: 500);

    [Fact]
    public void What_is_stored_as_json_reads_back_the_same() => WorkloadGen.File.Sample(
        file =>
        {
            var json = Json(file);
            var back = JsonSerializer.Deserialize<WorkloadFile>(json, ApiJson.Compact)!;
            Assert.Equal(json, Json(back));
            Assert.Equal(file.Steps[0].Workload.Resources.MemoryBytes, back.Steps[0].Workload.Resources.MemoryBytes);
            Assert.Equal(file.Steps[0].Workload.Money, back.Steps[0].Workload.Money);
            Assert.Equal(file.Steps[0].Workload.Env, back.Steps[0].Workload.Env);
            Assert.Equal(WorkloadWriter.ToYaml(file), WorkloadWriter.ToYaml(back));
        },
        iter: 500);

    [Theory]
    [InlineData("a~ *9")]
    [InlineData("a &b")]
    [InlineData("a - b")]
    [InlineData("two  blanks")]
    [InlineData("a @b")]
    public void A_label_with_signs_after_blanks_reads_back_the_same(string label)
    {
        var file = WorkloadParser.Parse("run: x", "x.yaml").File!;
        var labels = new SortedDictionary<string, string>(StringComparer.Ordinal) { [label] = label };
        var labelled = file with { Steps = [file.Steps[0] with { Workload = file.Steps[0].Workload with { Labels = labels } }] };
        var back = WorkloadParser.Parse(WorkloadWriter.ToYaml(labelled), "x.yaml");
        Assert.Equal(labels, back.File!.Steps[0].Workload.Labels);
    }

    [Fact]
    public void A_single_workload_is_written_without_steps() =>
        Assert.Equal(
            "name: hello\nrun: echo hi\n",
            WorkloadWriter.ToYaml(WorkloadParser.Parse("run: echo hi", "hello.yaml").File!));

    private static string Json(WorkloadFile file) => JsonSerializer.Serialize(file, ApiJson.Compact);
}
