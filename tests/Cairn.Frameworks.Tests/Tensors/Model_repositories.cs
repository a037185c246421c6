using System.Net;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Cairn.Frameworks.Engine;
using Cairn.Frameworks.Engine.Tensors;
using Cairn.Frameworks.Onnx;
using Cairn.Frameworks.Onnx.Proto;
using Cairn.Frameworks.Tests.OpenInference;
using DataType = Cairn.Frameworks.Onnx.Proto.TensorProto.Types.DataType;

namespace Cairn.Frameworks.Tests.Tensors;

public sealed class Model_repositories
{
    private const string Ask = """{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,2]}]}""";

    [Theory]
    [InlineData("", "3")]
    [InlineData("version_policy { latest { num_versions: 2 } }", "2,3")]
    [InlineData("version_policy: { all { } }", "1,2,3")]
    [InlineData("version_policy { specific { versions: [ 1, 3 ] } }", "1,3")]
    public async Task The_version_policy_says_which_versions_serve(string policy, string versions)
    {
        await using var models = await Repository.OpenAsync(folder =>
        {
            foreach (var version in new[] { 1, 2, 3 })
                OnnxModels.MatMul(2, version).Place(folder, "m", version, policy.Length > 0 ? policy : null);
        });

        Assert.Equal(versions, string.Join(',', models.Models.VersionsOf("m").Select(version => version.VersionText)));
        Assert.Equal(3, models.Find("m").Config.Output[0].Dims[0]);
        Assert.Throws<RefusedException>(() => models.Find("m", "9"));
    }

    [Fact]
    public async Task A_bare_file_is_a_model_of_one_version()
    {
        await using var models = await Repository.OpenAsync(folder =>
        {
            OnnxFile.Write(OnnxModels.MatMul(2, 2), Path.Combine(folder, "bare.onnx"));
            Directory.CreateDirectory(Path.Combine(folder, "inside"));
            OnnxFile.Write(OnnxModels.MatMul(2, 2), Path.Combine(folder, "inside", "model.onnx"));
        });

        Assert.Equal(["bare", "inside"], models.Models.ReadyNames);
        Assert.Equal("1", models.Find("bare").VersionText);
    }

    [Fact]
    public async Task Loading_and_unloading_show_in_the_index()
    {
        await using var host = await TensorHost.StartAsync(folder => OnnxModels.Double(DataType.Float, "n", 2).Place(folder, "m"), options => options.LoadsOnDemand = true);

        var (_, before) = await host.PostAsync("/v2/repository/index");
        var (early, _) = await host.PostAsync("/v2/models/m/infer", Ask);
        var (loaded, _) = await host.PostAsync("/v2/repository/models/m/load");
        var (_, ready) = await host.PostAsync("/v2/repository/index", """{"ready":true}""");
        var (answered, _) = await host.PostAsync("/v2/models/m/infer", Ask);
        var (unloaded, _) = await host.PostAsync("/v2/repository/models/m/unload");
        var (_, after) = await host.PostAsync("/v2/repository/index");
        var (late, _) = await host.PostAsync("/v2/models/m/infer", Ask);
        var (unknown, _) = await host.PostAsync("/v2/repository/models/none/load");

        Assert.Equal("""[{"name":"m","state":"UNAVAILABLE","reason":"not loaded"}]""", before);
        Assert.Equal(HttpStatusCode.NotFound, early);
        Assert.Equal(HttpStatusCode.OK, loaded);
        Assert.Equal("""[{"name":"m","version":"1","state":"READY"}]""", ready);
        Assert.Equal(HttpStatusCode.OK, answered);
        Assert.Equal(HttpStatusCode.OK, unloaded);
        Assert.Equal("""[{"name":"m","version":"1","state":"UNAVAILABLE","reason":"unloaded"}]""", after);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, late);
        Assert.Equal(HttpStatusCode.NotFound, unknown);
    }

    [Fact]
    public async Task A_load_may_bring_its_own_configuration_and_files()
    {
        await using var host = await TensorHost.StartAsync(folder => OnnxModels.Double(DataType.Float, "n", 2).Place(folder, "m"));
        var other = Path.Combine(host.RepositoryFolder, "other.bin");
        OnnxFile.Write(OnnxModels.MatMul(2, 3), other);
        var file = Convert.ToBase64String(File.ReadAllBytes(other));

        var (configured, _) = await host.PostAsync(
            "/v2/repository/models/m/load", """{"parameters":{"config":"{\"max_batch_size\":7,\"dynamic_batching\":{\"preferred_batch_size\":[4]}}"}}""");
        var (_, config) = await host.GetAsync("/v2/models/m/config");
        var (replaced, _) = await host.PostAsync("/v2/repository/models/m/load", $$$"""{"parameters":{"config":"{}","file:5/model.onnx":"{{{file}}}"}}""");
        var (_, answer) = await host.PostAsync("/v2/models/m/versions/5/infer", Ask);

        Assert.Equal(HttpStatusCode.OK, configured);
        Assert.Equal(7, (int)JsonNode.Parse(config)!["max_batch_size"]!);
        Assert.Equal(4, (int)JsonNode.Parse(config)!["dynamic_batching"]!["preferred_batch_size"]![0]!);
        Assert.Equal(HttpStatusCode.OK, replaced);
        Assert.Contains("\"data\":[6,9,12]", answer);
        foreach (var path in new[] { "../model.onnx", "1/../../model.onnx", "1/a/model.onnx", "/etc/model.onnx", "x/model.onnx", "1/.." })
        {
            var (status, _) = await host.PostAsync("/v2/repository/models/m/load", $$$"""{"parameters":{"file:{{{path}}}":"{{{file}}}"}}""");
            Assert.Equal(HttpStatusCode.BadRequest, status);
        }

        var (_, still) = await host.PostAsync("/v2/models/m/versions/5/infer", Ask);
        Assert.Contains("\"data\":[6,9,12]", still);
    }

    [Fact]
    public async Task A_broken_model_is_told_and_the_others_serve()
    {
        await using var host = await TensorHost.StartAsync(folder =>
        {
            OnnxModels.Double(DataType.Float, "n", 2).Place(folder, "good");
            File.WriteAllText(OnnxModels.MatMul(2, 2).Place(folder, "corrupt"), "this is no model");
            var cut = OnnxModels.MatMul(64, 64).Place(folder, "cut");
            File.WriteAllBytes(cut, File.ReadAllBytes(cut)[..^2000]);
            External(folder, "short", bytes: 100, location: "weights.bin");
            External(folder, "outside", bytes: 16384, location: "../../good/1/model.onnx");
            OnnxModels.MatMul(2, 2).Place(folder, "config", config: "max_batch_size: 4\nmax_bach_size: 8\n");
            OnnxModels.MatMul(2, 2).Place(folder, "shape", config: "max_batch_size: 4 input { name: \"x\" data_type: TYPE_FP32 dims: [ 5 ] }");
            OnnxModels.New().Place(folder, "empty");
        });

        var (_, index) = await host.PostAsync("/v2/repository/index");
        var reasons = JsonNode.Parse(index)!.AsArray().ToDictionary(item => (string)item!["name"]!, item => (string?)item!["reason"] ?? "");
        var (reload, error) = await host.PostAsync("/v2/repository/models/short/load");
        var (status, _) = await host.PostAsync("/v2/models/good/infer", Ask);

        Assert.Contains("model.onnx", reasons["corrupt"]);
        Assert.Contains("model.onnx", reasons["cut"]);
        Assert.Contains("truncated", reasons["short"]);
        Assert.Contains("inside the model's folder", reasons["outside"]);
        Assert.Contains("line 2: 'max_bach_size' is not a field", reasons["config"]);
        Assert.Contains("'x' the shape [-1,5]; the graph's is [-1,2]", reasons["shape"]);
        Assert.NotEqual("", reasons["empty"]);
        Assert.Equal("", reasons["good"]);
        Assert.Equal(HttpStatusCode.BadRequest, reload);
        Assert.Contains("truncated", (string)JsonNode.Parse(error)!["error"]!);
        Assert.Equal(HttpStatusCode.OK, status);
    }

    [Fact]
    public async Task A_failed_reload_leaves_what_served()
    {
        await using var models = await Repository.OpenAsync(folder => OnnxModels.MatMul(2, 2).Place(folder, "m"));
        File.WriteAllText(Path.Combine(models.Folder, "m", "1", "model.onnx"), "broken");

        await Assert.ThrowsAsync<ModelLoadException>(() => models.Models.LoadAsync("m", null, CancellationToken.None));

        var answer = await models.Find("m").InferAsync([Row(1, 2)], [], 0, 0, CancellationToken.None);
        Assert.Equal([4f, 7f], MemoryMarshal.Cast<byte, float>(answer.Outputs![0].Data.Span).ToArray());
    }

    [Fact]
    public async Task Unloading_answers_what_waits()
    {
        await using var models = await Repository.OpenAsync(folder => OnnxModels.MatMul(2, 2).Place(folder, "m", config: """
            max_batch_size: 64
            dynamic_batching { max_queue_delay_microseconds: 60000000 }
            """));
        var version = models.Find("m");
        var waiting = Enumerable.Range(0, 5).Select(i => version.InferAsync([Row(i, 1)], [], 0, 0, CancellationToken.None)).ToList();

        await models.Models.UnloadAsync("m", CancellationToken.None);

        foreach (var (call, i) in waiting.Select((call, i) => (call, i)))
            Assert.Equal(2f, MemoryMarshal.Cast<byte, float>((await call).Outputs![0].Data.Span)[0]);
        var late = await version.InferAsync([Row(1, 1)], [], 0, 0, CancellationToken.None);
        Assert.Equal(RefusalKind.Unavailable, late.Refusal!.Kind);
    }

    [Fact]
    public async Task A_warm_up_runs_before_anybody_asks()
    {
        const string WarmUp = """
            max_batch_size: 4
            model_warmup [ { name: "one" batch_size: 2 count: 3 inputs { key: "x" value { data_type: TYPE_INT64 dims: [ 3 ] DATA } } } ]
            """;
        await using var models = await Repository.OpenAsync(folder =>
        {
            OnnxModels.SquareTable().Place(folder, "good", config: WarmUp.Replace("DATA", "zero_data: true"));
            OnnxModels.SquareTable().Place(folder, "bad", config: WarmUp.Replace("DATA", "input_data_file: \"raw\""));
            Directory.CreateDirectory(Path.Combine(folder, "bad", "warmup"));
            File.WriteAllBytes(Path.Combine(folder, "bad", "warmup", "raw"), [.. BitConverter.GetBytes(1L), .. BitConverter.GetBytes(2L), .. BitConverter.GetBytes(99L)]);
        });

        Assert.Equal(["good"], models.Models.ReadyNames);
        Assert.Contains("model_warmup 'one'", models.Models.Index(false).First(state => state.Name == "bad").Reason);
    }

    private static Tensor Row(params float[] values) =>
        new("x", TensorType.Float32, [1, values.Length], MemoryMarshal.AsBytes(values.AsSpan()).ToArray());

    /// <summary>A 64 × 64 matrix whose data lies in another file.</summary>
    private static void External(string folder, string name, int bytes, string location)
    {
        var model = OnnxModels.MatMul(64, 64);
        var weights = model.Graph.Initializer[0];
        weights.ClearRawData();
        weights.DataLocation = TensorProto.Types.DataLocation.External;
        weights.ExternalData.Add(new StringStringEntryProto { Key = "location", Value = location });
        var file = model.Place(folder, name);
        File.WriteAllBytes(Path.Combine(Path.GetDirectoryName(file)!, "weights.bin"), new byte[bytes]);
    }
}
