using System.IO.Compression;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Cairn.Frameworks.Tests.Tensors;
using DataType = Cairn.Frameworks.Onnx.Proto.TensorProto.Types.DataType;

namespace Cairn.Frameworks.Tests.OpenInference;

public sealed class Inference_over_REST
{
    /// <summary>
    /// The specification's own request. Its example gives one BOOL for the shape [3], which its rules forbid; here are three. Its model is
    /// unknown; this one hands its inputs back.
    /// </summary>
    [Fact]
    public async Task The_specifications_example_is_answered()
    {
        await using var host = await TensorHost.StartAsync(Fill);

        var (status, body) = await host.PostAsync("/v2/models/mymodel/infer", """
            {
              "id" : "42",
              "inputs" : [
                { "name" : "input0", "shape" : [ 2, 2 ], "datatype" : "UINT32", "data" : [ 1, 2, 3, 4 ] },
                { "name" : "input1", "shape" : [ 3 ], "datatype" : "BOOL", "data" : [ true, false, true ] }
              ],
              "outputs" : [ { "name" : "output0" } ]
            }
            """);

        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal(
            """{"id":"42","model_name":"mymodel","model_version":"1","outputs":[{"name":"output0","datatype":"UINT32","shape":[2,2],"data":[1,2,3,4]}]}""",
            body);
    }

    /// <summary>The bytes that Triton's Python client puts on the wire for two binary inputs and one binary output.</summary>
    [Fact]
    public async Task Binary_tensors_come_and_go_behind_the_JSON()
    {
        await using var host = await TensorHost.StartAsync(Fill);
        const string Json = """{"id":"1","inputs":[{"name":"input0","shape":[2,2],"datatype":"UINT32","parameters":{"binary_data_size":16}},{"name":"input1","shape":[3],"datatype":"BOOL","parameters":{"binary_data_size":3}}],"outputs":[{"name":"output0","parameters":{"binary_data":true}},{"name":"output1","parameters":{"binary_data":true}}]}""";
        byte[] tensors = [1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 1, 0, 1];

        var (response, body) = await host.PostBytesAsync("/v2/models/mymodel/infer", [.. Encoding.UTF8.GetBytes(Json), .. tensors], Json.Length);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("application/octet-stream", response.Content.Headers.ContentType!.MediaType);
        var length = int.Parse(response.Headers.GetValues("Inference-Header-Content-Length").Single());
        Assert.Equal(
            """{"id":"1","model_name":"mymodel","model_version":"1","outputs":[{"name":"output0","datatype":"UINT32","shape":[2,2],"parameters":{"binary_data_size":16}},{"name":"output1","datatype":"BOOL","shape":[3],"parameters":{"binary_data_size":3}}]}""",
            Encoding.UTF8.GetString(body[..length]));
        Assert.Equal(tensors, body[length..]);
        Assert.Equal(body.Length, response.Content.Headers.ContentLength);
    }

    [Fact]
    public async Task Strings_go_as_length_and_bytes()
    {
        await using var host = await TensorHost.StartAsync(folder =>
            OnnxModels.Same(("x", "y", DataType.String, [2])).Place(folder, "text"));
        const string Json = """{"inputs":[{"name":"x","shape":[2],"datatype":"BYTES","parameters":{"binary_data_size":13}}],"parameters":{"binary_data_output":true}}""";
        byte[] strings = [2, 0, 0, 0, 0xC3, 0xA9, 3, 0, 0, 0, (byte)'a', (byte)'b', (byte)'c'];

        var (response, body) = await host.PostBytesAsync("/v2/models/text/infer", [.. Encoding.UTF8.GetBytes(Json), .. strings], Json.Length);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(strings, body[^13..]);
        var (_, text) = await host.PostAsync(
            "/v2/models/text/infer", """{"inputs":[{"name":"x","shape":[2],"datatype":"BYTES","data":["é","a\"b"]}]}""");
        Assert.Equal(["é", "a\"b"], JsonNode.Parse(text)!["outputs"]![0]!["data"]!.AsArray().Select(item => (string)item!));
    }

    [Theory]
    [InlineData("BOOL", "[true,false]", "[true,false]")]
    [InlineData("UINT8", "[0,255]", "[0,255]")]
    [InlineData("INT8", "[-128,127]", "[-128,127]")]
    [InlineData("UINT16", "[0,65535]", "[0,65535]")]
    [InlineData("INT16", "[-32768,32767]", "[-32768,32767]")]
    [InlineData("UINT32", "[0,4294967295]", "[0,4294967295]")]
    [InlineData("INT32", "[-2147483648,2147483647]", "[-2147483648,2147483647]")]
    [InlineData("UINT64", "[0,18446744073709551615]", "[0,18446744073709551615]")]
    [InlineData("INT64", "[-9223372036854775808,9223372036854775807]", "[-9223372036854775808,9223372036854775807]")]
    [InlineData("FP16", "[0.5,-65504]", "[0.5,-65504]")]
    [InlineData("BF16", "[0.5,-1.5]", "[0.5,-1.5]")]
    [InlineData("FP32", "[0.1,\"NaN\"]", "[0.1,\"NaN\"]")]
    [InlineData("FP64", "[0.1,\"-Infinity\"]", "[0.1,\"-Infinity\"]")]
    [InlineData("BYTES", "[\"a\",\"\"]", "[\"a\",\"\"]")]
    public async Task Every_datatype_comes_back_as_it_went(string datatype, string data, string expected)
    {
        var type = datatype switch
        {
            "FP16" => DataType.Float16, "BF16" => DataType.Bfloat16, "FP32" => DataType.Float, "FP64" => DataType.Double, "BYTES" => DataType.String,
            _ => Enum.Parse<DataType>(datatype, ignoreCase: true),
        };
        await using var host = await TensorHost.StartAsync(folder => OnnxModels.Same(("x", "y", type, [2])).Place(folder, "same"));

        var (_, body) = await host.PostAsync(
            "/v2/models/same/infer", $$"""{"inputs":[{"data":{{data}},"shape":[2],"name":"x","datatype":"{{datatype}}"}]}""");

        Assert.Contains($"\"data\":{expected}", body);
    }

    [Theory]
    [InlineData("""{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1]}]}""", "has 2 elements; 'data' holds 1")]
    [InlineData("""{"inputs":[{"name":"x","shape":[1,-2],"datatype":"FP32","data":[1,2]}]}""", "dimension -2")]
    [InlineData("""{"inputs":[{"name":"x","shape":[4611686018427387904,4],"datatype":"FP32","data":[]}]}""", "does not fit 63 bits")]
    [InlineData("""{"inputs":[{"name":"x","shape":[1,3],"datatype":"FP32","data":[1,2,3]}]}""", "unexpected shape for input 'x'")]
    [InlineData("""{"inputs":[{"name":"x","shape":[1,2],"datatype":"INT32","data":[1,2]}]}""", "data-type INT32")]
    [InlineData("""{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP99","data":[1,2]}]}""", "'FP99'")]
    [InlineData("""{"inputs":[{"name":"z","shape":[1,2],"datatype":"FP32","data":[1,2]}]}""", "needs the input 'x'")]
    [InlineData("""{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":["a",2]}]}""", "'a' is no FP32")]
    [InlineData("""{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,2]}],"outputs":[{"name":"q"}]}""", "unexpected inference output 'q'")]
    [InlineData("""{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1e99,2]}]}""", "is no FP32")]
    [InlineData("""{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,2]}""", "failed to parse")]
    [InlineData("""{"inputs":[{"name":"x","shape":[65,2],"datatype":"FP32","parameters":{"binary_data_size":520}}]}""", "0 bytes are left")]
    [InlineData("""{"inputs":{}}""", "'inputs' is not an array")]
    [InlineData("", "failed to parse")]
    public async Task A_wrong_request_is_told_what_is_wrong(string json, string message)
    {
        await using var host = await TensorHost.StartAsync(folder => OnnxModels.Double(DataType.Float, "n", 2).Place(folder, "double"));

        var (status, body) = await host.PostAsync("/v2/models/double/infer", json);

        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Contains(message, (string)JsonNode.Parse(body)!["error"]!);
        var (after, _) = await host.PostAsync(
            "/v2/models/double/infer", """{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[[1,2]]}]}""");
        Assert.Equal(HttpStatusCode.OK, after);
    }

    [Fact]
    public async Task Bodies_are_unpacked_and_answers_packed()
    {
        await using var host = await TensorHost.StartAsync(folder => OnnxModels.Double(DataType.Float, "n", 2).Place(folder, "double"));
        var json = $$"""{"inputs":[{"name":"x","shape":[64,2],"datatype":"FP32","data":[{{string.Join(',', Enumerable.Range(0, 128).Select(i => i * 12345))}}]}]}""";
        var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest))
            gzip.Write(Encoding.UTF8.GetBytes(json));
        var deflated = new MemoryStream();
        using (var deflate = new ZLibStream(deflated, CompressionLevel.Fastest))
            deflate.Write(Encoding.UTF8.GetBytes(json));

        var (first, firstBody) = await host.PostBytesAsync("/v2/models/double/infer", packed.ToArray(), null, "gzip", "gzip");
        var (second, secondBody) = await host.PostBytesAsync("/v2/models/double/infer", deflated.ToArray(), null, "deflate", "deflate");

        Assert.Equal(["gzip"], first.Content.Headers.ContentEncoding);
        Assert.Equal(["deflate"], second.Content.Headers.ContentEncoding);
        using var unzipped = new StreamReader(new GZipStream(new MemoryStream(firstBody), CompressionMode.Decompress));
        using var inflated = new StreamReader(new ZLibStream(new MemoryStream(secondBody), CompressionMode.Decompress));
        var answer = unzipped.ReadToEnd();
        Assert.EndsWith("3110940,3135630]}]}", answer);
        Assert.Equal(answer, inflated.ReadToEnd());
    }

    [Fact]
    public async Task A_compression_bomb_stops_at_the_bound()
    {
        await using var host = await TensorHost.StartAsync(
            folder => OnnxModels.Double(DataType.Float, "n", 2).Place(folder, "double"), options => options.BodyBytesLimit = 1 << 20);
        var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest))
            gzip.Write(new byte[64 << 20]);

        var (bomb, _) = await host.PostBytesAsync("/v2/models/double/infer", packed.ToArray(), null, "gzip");
        var (large, _) = await host.PostBytesAsync("/v2/models/double/infer", new byte[(1 << 20) + 1], null);
        var (unknown, _) = await host.PostBytesAsync("/v2/models/double/infer", new byte[1], null, "br");

        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, bomb.StatusCode);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, large.StatusCode);
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, unknown.StatusCode);
    }

    [Fact]
    public async Task A_raw_request_is_the_only_inputs_bytes()
    {
        await using var host = await TensorHost.StartAsync(folder => OnnxModels.Double(DataType.Int16, "n", 2).Place(folder, "double"));

        var (response, body) = await host.PostBytesAsync("/v2/models/double/infer", [1, 0, 0, 1], 0);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal([2, 0, 0, 2], body[^4..]);
        var (refused, _) = await host.PostBytesAsync("/v2/models/double/infer", [1, 0, 0], 0);
        Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
    }

    [Fact]
    public async Task Classification_gives_the_highest_values_with_their_labels()
    {
        await using var host = await TensorHost.StartAsync(folder =>
        {
            OnnxModels.Same(("input0", "output0", DataType.Float, [4])).Place(folder, "mymodel", config: """
                output { name: "output0" data_type: TYPE_FP32 dims: [ 4 ] label_filename: "labels.txt" }
                """);
            File.WriteAllLines(Path.Combine(folder, "mymodel", "labels.txt"), ["apple", "pickle", "plum"]);
        });

        var (_, body) = await host.PostAsync("/v2/models/mymodel/infer", """
            {"inputs":[{"name":"input0","shape":[4],"datatype":"FP32","data":[1.1,3.3,0.5,2.4]}],
             "outputs":[{"name":"output0","parameters":{"classification":2}}]}
            """);

        Assert.Contains("""{"name":"output0","datatype":"BYTES","shape":[2],"data":["3.3:1:pickle","2.4:3"]}""", body);
    }

    [Fact]
    public async Task Model_and_server_tell_what_they_are()
    {
        await using var host = await TensorHost.StartAsync(folder => OnnxModels.MatMul(2, 3).Place(folder, "matmul"));

        var (_, server) = await host.GetAsync("/v2");
        var (_, model) = await host.GetAsync("/v2/models/matmul/versions/1");
        var (ready, _) = await host.GetAsync("/v2/models/matmul/ready");
        var (missing, error) = await host.GetAsync("/v2/models/none");
        var (_, config) = await host.GetAsync("/v2/models/matmul/config");

        Assert.Equal("cairn", (string)JsonNode.Parse(server)!["name"]!);
        Assert.Equal(
            """{"name":"matmul","versions":["1"],"platform":"onnxruntime_onnx","inputs":[{"name":"x","datatype":"FP32","shape":[-1,2]}],"outputs":[{"name":"y","datatype":"FP32","shape":[-1,3]}]}""",
            model);
        Assert.Equal(HttpStatusCode.OK, ready);
        Assert.Equal(HttpStatusCode.NotFound, missing);
        Assert.Contains("unknown model: 'none'", (string)JsonNode.Parse(error)!["error"]!);
        var parsed = JsonNode.Parse(config)!;
        Assert.Equal(64, (int)parsed["max_batch_size"]!);
        Assert.Equal([2], parsed["input"]![0]!["dims"]!.AsArray().Select(dim => (int)dim!));
        Assert.NotNull(parsed["dynamic_batching"]);
    }

    [Fact]
    public async Task Statistics_and_metrics_count_what_was_done()
    {
        await using var host = await TensorHost.StartAsync(folder => OnnxModels.MatMul(2, 3).Place(folder, "matmul"));
        for (var i = 0; i < 3; i++)
            await host.PostAsync("/v2/models/matmul/infer", """{"inputs":[{"name":"x","shape":[2,2],"datatype":"FP32","data":[1,2,3,4]}]}""");

        var (_, body) = await host.GetAsync("/v2/models/matmul/stats");
        var (_, metrics) = await host.GetAsync("/metrics");

        var stats = JsonNode.Parse(body)!["model_stats"]![0]!;
        Assert.Equal(6, (int)stats["inference_count"]!);
        Assert.Equal(3, (int)stats["execution_count"]!);
        Assert.Equal(3, (int)stats["inference_stats"]!["success"]!["count"]!);
        Assert.True((long)stats["inference_stats"]!["compute_infer"]!["ns"]! > 0);
        Assert.Equal(2, (int)stats["batch_stats"]![0]!["batch_size"]!);
        Assert.Equal(3, (int)stats["batch_stats"]![0]!["compute_infer"]!["count"]!);
        Assert.Contains("nv_inference_request_success{model=\"matmul\",version=\"1\"} 3.0\n", metrics);
        Assert.Contains("nv_inference_count{model=\"matmul\",version=\"1\"} 6.0\n", metrics);
        Assert.Contains("nv_inference_pending_request_count{model=\"matmul\",version=\"1\"} 0.0\n", metrics);
    }

    private static void Fill(string folder) =>
        OnnxModels.Same(("input0", "output0", DataType.Uint32, [2, 2]), ("input1", "output1", DataType.Bool, [3])).Place(folder, "mymodel");
}
