using System.Runtime.InteropServices;
using Cairn.Frameworks.Engine.OpenInference.Wire;
using Cairn.Frameworks.Onnx.Decoders;
using Cairn.Serving.Tests.OpenInference;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;

namespace Cairn.EndToEnd.Tests;

/// <summary>`cairn serve FOLDER`, and a client of gRPC at the gateway's own port: through the gateway, the node's reverse tunnel and the real engine, and back.</summary>
[Trait("speed", "slow")]
public sealed class A_model_of_tensors_is_served
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_folder_that_is_a_model_answers_clients_of_gRPC_under_the_name_it_was_given()
    {
        await using var up = await CairnUp.StartAsync();
        var folder = Path.Combine(up.Folder, "models", "double");
        DoublingModel.Write(folder);
        await File.WriteAllTextAsync(Path.Combine(folder, "config.pbtxt"), "max_batch_size: 0\n", Token);
        (await up.Cli.RunAsync("serve", folder, "--name", "twice")).Succeeded();
        using var channel = GrpcChannel.ForAddress(up.Address);
        var client = new GRPCInferenceService.GRPCInferenceServiceClient(channel);
        var key = Key(up);

        var numbers = Enumerable.Range(-50_000, 100_000).Select(i => i / 8f).ToArray();
        var answer = await client.ModelInferAsync(Request("twice", numbers), key, cancellationToken: Token);
        Assert.Equal("42", answer.Id);
        Assert.Equal(numbers.Select(n => n + n), Numbers(answer));
        Assert.True((await client.ModelReadyAsync(new() { Name = "twice" }, key, cancellationToken: Token)).Ready);
        Assert.Equal(["x"], (await client.ModelMetadataAsync(new() { Name = "twice" }, key, cancellationToken: Token)).Inputs.Select(i => i.Name));

        using (var stream = client.ModelStreamInfer(key, cancellationToken: Token))
        {
            for (var i = 1; i <= 3; i++)
            {
                await stream.RequestStream.WriteAsync(Request("twice", i), Token);
                Assert.True(await stream.ResponseStream.MoveNext(Token));
                Assert.Equal([2 * i], Numbers(stream.ResponseStream.Current.InferResponse));
            }
            await stream.RequestStream.CompleteAsync();
            Assert.False(await stream.ResponseStream.MoveNext(Token));
        }

        var unknown = await Assert.ThrowsAsync<RpcException>(async () => await client.ModelInferAsync(Request("double", 1), key, cancellationToken: Token));
        Assert.Equal(StatusCode.NotFound, unknown.StatusCode);
    }

    [Fact]
    public async Task A_folder_with_one_model_is_served_as_that_model_and_a_language_model_tells_of_itself()
    {
        await using var up = await CairnUp.StartAsync();
        var folder = Path.Combine(up.Folder, "models");
        DoublingModel.Write(Path.Combine(folder, "double"));
        (await up.Cli.RunAsync("serve", folder)).Succeeded();
        var tiny = Path.Combine(up.Folder, "tiny");
        DecoderFolder.Write(tiny, DecoderShape.Tiny, weights: RandomWeights.Seeded(7));
        (await up.Cli.RunAsync("serve", tiny)).Succeeded();
        using var channel = GrpcChannel.ForAddress(up.Address);
        var client = new GRPCInferenceService.GRPCInferenceServiceClient(channel);

        var answer = await client.ModelInferAsync(Request("double", 3), Key(up), cancellationToken: Token);
        Assert.Equal([6], Numbers(answer));
        Assert.Equal("tiny", (await client.ModelMetadataAsync(new() { Name = "tiny" }, Key(up), cancellationToken: Token)).Name);
        var text = await Assert.ThrowsAsync<RpcException>(async () => await client.ModelInferAsync(Request("tiny", 1), Key(up), cancellationToken: Token));
        Assert.Equal(StatusCode.InvalidArgument, text.StatusCode);
        Assert.Contains("takes no tensors", text.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_folder_with_two_models_or_none_is_refused()
    {
        using var home = new TemporaryHome();
        var folder = Directory.CreateTempSubdirectory("cairn-e2e-");
        try
        {
            Assert.Contains("holds no model", (await home.Cli.RunAsync("serve", folder.FullName, "--dry-run")).Error, StringComparison.Ordinal);
            DoublingModel.Write(Path.Combine(folder.FullName, "one"));
            DoublingModel.Write(Path.Combine(folder.FullName, "two"));
            var two = await home.Cli.RunAsync("serve", folder.FullName, "--dry-run");
            Assert.Equal(2, two.ExitCode);
            Assert.Contains("holds 2 models (one, two)", two.Error, StringComparison.Ordinal);
            var one = (await home.Cli.RunAsync("serve", Path.Combine(folder.FullName, "two"), "--dry-run")).Succeeded();
            Assert.Contains("model: \"two\"", one.Out, StringComparison.Ordinal);
            Assert.Contains("--grpc-port \"$GRPC_PORT\"", one.Out, StringComparison.Ordinal);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static Metadata Key(CairnUp up) => new() { { "authorization", "Bearer " + up.AdminKey() } };

    private static ModelInferRequest Request(string model, params float[] numbers) => new()
    {
        ModelName = model,
        Id = "42",
        Inputs = { new ModelInferRequest.Types.InferInputTensor { Name = "x", Datatype = "FP32", Shape = { numbers.Length } } },
        RawInputContents = { ByteString.CopyFrom(MemoryMarshal.AsBytes(numbers.AsSpan())) },
    };

    private static float[] Numbers(ModelInferResponse answer) => MemoryMarshal.Cast<byte, float>(answer.RawOutputContents.Single().Span).ToArray();
}
