using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Cairn.Frameworks.Engine.OpenInference.Wire;
using Cairn.Frameworks.Tests.Tensors;
using Google.Protobuf;
using Grpc.Core;
using DataType = Cairn.Frameworks.Onnx.Proto.TensorProto.Types.DataType;

namespace Cairn.Frameworks.Tests.OpenInference;

public sealed class Inference_over_gRPC
{
    /// <summary>
    /// A ModelInferRequest written out byte by byte, as a client without any of these classes sends it: model_name = 1, id = 3, inputs = 5
    /// {name = 1, datatype = 2, shape = 3}, raw_input_contents = 7.
    /// </summary>
    [Fact]
    public async Task A_raw_request_written_by_hand_gets_the_right_bytes_back()
    {
        await using var host = await TensorHost.StartAsync(folder => OnnxModels.Double(DataType.Float, "n", 2).Place(folder, "double"));
        byte[] input =
        [
            0x0A, 1, (byte)'x',                                                  // name
            0x12, 4, (byte)'F', (byte)'P', (byte)'3', (byte)'2',                 // datatype
            0x1A, 2, 1, 2,                                                       // shape, packed
        ];
        byte[] message =
        [
            0x0A, 6, .. "double"u8,
            0x1A, 2, .. "42"u8,
            0x2A, (byte)input.Length, .. input,
            0x3A, 8, 0x00, 0x00, 0x80, 0x3F, 0x00, 0x00, 0x00, 0xC0,             // 1, -2
        ];

        var answer = await CallAsync(host, "ModelInfer", message);

        byte[] output = [0x0A, 1, (byte)'y', 0x12, 4, (byte)'F', (byte)'P', (byte)'3', (byte)'2', 0x1A, 2, 1, 2];
        byte[] expected =
        [
            0x0A, 6, .. "double"u8,
            0x12, 1, (byte)'1',
            0x1A, 2, .. "42"u8,
            0x2A, (byte)output.Length, .. output,
            0x32, 8, 0x00, 0x00, 0x00, 0x40, 0x00, 0x00, 0x80, 0xC0,             // 2, -4
        ];
        Assert.Equal(expected, answer);
    }

    [Fact]
    public async Task Typed_contents_are_answered_typed()
    {
        await using var host = await TensorHost.StartAsync(folder =>
            OnnxModels.Same(("i", "oi", DataType.Int8, [2]), ("t", "ot", DataType.String, [1]), ("b", "ob", DataType.Bool, [1])).Place(folder, "same"));
        var request = new ModelInferRequest { ModelName = "same" };
        request.Inputs.Add(Input("i", "INT8", 2, new() { IntContents = { -128, 127 } }));
        request.Inputs.Add(Input("t", "BYTES", 1, new() { BytesContents = { ByteString.CopyFromUtf8("é") } }));
        request.Inputs.Add(Input("b", "BOOL", 1, new() { BoolContents = { true } }));

        var answer = await host.Grpc.ModelInferAsync(request);

        Assert.Empty(answer.RawOutputContents);
        Assert.Equal([-128, 127], answer.Outputs[0].Contents.IntContents);
        Assert.Equal("é", answer.Outputs[1].Contents.BytesContents[0].ToStringUtf8());
        Assert.True(answer.Outputs[2].Contents.BoolContents[0]);
        request.Inputs[0].Contents.IntContents[0] = 128;
        var refused = await Assert.ThrowsAsync<RpcException>(async () => await host.Grpc.ModelInferAsync(request));
        Assert.Equal(StatusCode.InvalidArgument, refused.StatusCode);
    }

    [Fact]
    public async Task Raw_and_typed_contents_are_not_mixed()
    {
        await using var host = await TensorHost.StartAsync(folder => OnnxModels.Double(DataType.Float, "n", 2).Place(folder, "double"));
        var request = new ModelInferRequest { ModelName = "double", RawInputContents = { ByteString.CopyFrom(new byte[8]) } };
        var input = Input("x", "FP32", 1, new() { Fp32Contents = { 1, 2 } });
        input.Shape.Add(2);
        request.Inputs.Add(input);

        var refused = await Assert.ThrowsAsync<RpcException>(async () => await host.Grpc.ModelInferAsync(request));

        Assert.Equal(StatusCode.InvalidArgument, refused.StatusCode);
        Assert.Contains("raw_input_contents", refused.Status.Detail);
    }

    [Fact]
    public async Task A_stream_answers_in_order_and_outlives_a_wrong_request()
    {
        await using var host = await TensorHost.StartAsync(folder => OnnxModels.Double(DataType.Float, "n", 1).Place(folder, "double"));
        using var call = host.Grpc.ModelStreamInfer(cancellationToken: TestContext.Current.CancellationToken);
        foreach (var (id, type) in new[] { ("a", "FP32"), ("b", "INT8"), ("c", "FP32") })
        {
            var input = Input("x", type, 1, new() { Fp32Contents = { 3 } });
            input.Shape.Add(1);
            await call.RequestStream.WriteAsync(new() { ModelName = "double", Id = id, Inputs = { input } }, TestContext.Current.CancellationToken);
        }

        await call.RequestStream.CompleteAsync();
        var answers = await call.ResponseStream.ReadAllAsync(TestContext.Current.CancellationToken).ToListAsync(TestContext.Current.CancellationToken);

        Assert.Equal(["a", "b", "c"], answers.Select(answer => answer.InferResponse.Id));
        Assert.Equal([false, true, false], answers.Select(answer => answer.ErrorMessage.Length > 0));
        Assert.Equal(6, answers[2].InferResponse.Outputs[0].Contents.Fp32Contents[0]);
    }

    [Fact]
    public async Task Metadata_configuration_statistics_and_the_repository_are_told()
    {
        await using var host = await TensorHost.StartAsync(folder => OnnxModels.MatMul(2, 3).Place(folder, "matmul"));

        var server = await host.Grpc.ServerMetadataAsync(new());
        var model = await host.Grpc.ModelMetadataAsync(new() { Name = "matmul" });
        var config = await host.Grpc.ModelConfigAsync(new() { Name = "matmul" });
        await host.Grpc.RepositoryModelUnloadAsync(new() { ModelName = "matmul" });
        var unloaded = await host.Grpc.RepositoryIndexAsync(new());
        var gone = await host.Grpc.ModelReadyAsync(new() { Name = "matmul" });
        await host.Grpc.RepositoryModelLoadAsync(new() { ModelName = "matmul" });
        var statistics = await host.Grpc.ModelStatisticsAsync(new());
        var unknown = await Assert.ThrowsAsync<RpcException>(async () => await host.Grpc.ModelMetadataAsync(new() { Name = "none" }));

        Assert.True((await host.Grpc.ServerLiveAsync(new())).Live);
        Assert.True((await host.Grpc.ServerReadyAsync(new())).Ready);
        Assert.Contains("binary_tensor_data", server.Extensions);
        Assert.Equal([-1, 2], model.Inputs[0].Shape);
        Assert.Equal(64, config.Config.MaxBatchSize);
        Assert.Equal(("UNAVAILABLE", "unloaded"), (unloaded.Models[0].State, unloaded.Models[0].Reason));
        Assert.False(gone.Ready);
        Assert.Equal("matmul", statistics.ModelStats[0].Name);
        Assert.Equal(StatusCode.NotFound, unknown.StatusCode);
    }

    private static ModelInferRequest.Types.InferInputTensor Input(string name, string type, long dimension, InferTensorContents contents) =>
        new() { Name = name, Datatype = type, Shape = { dimension }, Contents = contents };

    private static async Task<byte[]> CallAsync(TensorHost host, string method, byte[] message)
    {
        using var client = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Post, $"{host.Engine.GrpcAddress}/inference.GRPCInferenceService/{method}")
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent([0, 0, 0, 0, (byte)message.Length, .. message]),
        };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
        request.Headers.TE.Add(new TransferCodingWithQualityHeaderValue("trailers"));
        using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);
        var body = await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken);
        Assert.Equal("0", response.TrailingHeaders.GetValues("grpc-status").Single());
        Assert.Equal(body.Length - 5, (body[3] << 8) | body[4]);
        return body[5..];
    }
}
