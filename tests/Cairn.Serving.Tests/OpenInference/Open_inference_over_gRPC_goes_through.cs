using System.Net;
using System.Runtime.InteropServices;
using Cairn.Contracts.Units;
using Cairn.Frameworks.Engine.OpenInference.Wire;
using Cairn.Serving.Gateway.Calls;
using Cairn.Serving.Gateway.Limits;
using Cairn.Serving.Gateway.Snapshots;
using Cairn.Serving.Tests.Gateway;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.AspNetCore.Http;

namespace Cairn.Serving.Tests.OpenInference;

public sealed class Open_inference_over_gRPC_goes_through
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task To_a_real_engine_under_its_own_name_of_the_model()
    {
        await using var host = await InferenceHost.StartAsync();
        host.Serve(await host.EngineAsync());
        using var call = host.Client.ModelInferAsync(InferenceHost.Request("tiny", 1, -2), host.Key, cancellationToken: Token);
        var answer = await call.ResponseAsync;
        Assert.Equal([2, -4], Numbers(answer));
        Assert.Equal(new UsageSum(1, 0, 0, 0, Money.Zero), (await host.Gateway.BookedAsync()).Sum);
        var id = (await call.ResponseHeadersAsync).GetValue("x-request-id");
        var told = CallExplanation.Of(host.Gateway.Gateway.Decisions.Find(id!)!);
        Assert.Equal((200, "tiny", "test"), (told.Status, told.Model, told.Key));
        Assert.Equal(("chosen", "answered"), (told.Attempts.Single().Decision, told.Attempts.Single().Outcome));
        Assert.True((await host.Client.ModelReadyAsync(new() { Name = "tiny" }, host.Key)).Ready);
        Assert.Equal("double", (await host.Client.ModelMetadataAsync(new() { Name = "tiny" }, host.Key)).Name);
        Assert.Equal("double", (await host.Client.ModelConfigAsync(new() { Name = "tiny" }, host.Key)).Config.Name);
        Assert.Equal(1ul, (await host.Client.ModelStatisticsAsync(new() { Name = "tiny" }, host.Key)).ModelStats.Single().InferenceCount);
    }

    /// <summary>model_name = 1, inputs = 5 {name = 1, datatype = 2, shape = 3}, raw_input_contents = 7; the answer has model_version = 2, id = 3, raw_output_contents = 6.</summary>
    [Fact]
    public async Task Written_by_hand()
    {
        await using var host = await InferenceHost.StartAsync();
        host.Serve(await host.EngineAsync());
        byte[] input = [0x0A, 1, (byte)'x', 0x12, 4, .. "FP32"u8, 0x1A, 1, 1];
        byte[] message = [0x0A, 4, .. "tiny"u8, 0x2A, (byte)input.Length, .. input, 0x3A, 4, 0x00, 0x00, 0x80, 0x3F];
        var (body, response) = await host.RawAsync("ModelInfer", [0, 0, 0, 0, (byte)message.Length, .. message]);
        using (response)
        {
            Assert.Equal("0", response.TrailingHeaders.GetValues("grpc-status").Single());
            Assert.Equal([0x32, 4, 0x00, 0x00, 0x00, 0x40], body[^6..]);
            Assert.Equal(body.Length - 5, body[4]);
        }
    }

    [Fact]
    public async Task With_large_tensors_both_ways_and_no_memory_kept_behind()
    {
        await using var host = await InferenceHost.StartAsync();
        host.Serve(await host.EngineAsync());
        var numbers = Enumerable.Range(0, 2 << 20).Select(i => (float)i).ToArray();
        var answer = await host.Client.ModelInferAsync(InferenceHost.Request("tiny", numbers), host.Key, cancellationToken: Token);
        Assert.Equal(numbers.Select(n => n + n), Numbers(answer));
        await A_request_survives.UntilAsync(() => host.Gateway.Gateway.Bodies.Taken == 0);
    }

    [Fact]
    public async Task As_a_stream_answered_while_it_goes_on()
    {
        await using var host = await InferenceHost.StartAsync();
        host.Serve(await host.EngineAsync());
        using var call = host.Client.ModelStreamInfer(host.Key, cancellationToken: Token);
        for (var i = 1; i <= 5; i++)
        {
            await call.RequestStream.WriteAsync(InferenceHost.Request("tiny", i), Token);
            Assert.True(await call.ResponseStream.MoveNext(Token));
            Assert.Equal([2 * i], Numbers(call.ResponseStream.Current.InferResponse));
        }
        await call.RequestStream.CompleteAsync();
        Assert.False(await call.ResponseStream.MoveNext(Token));
        Assert.Equal(5, (await host.Gateway.BookedAsync(5)).Sum.Requests);
        Assert.Equal(0, host.Gateway.Account.Parallel);
    }

    [Fact]
    public async Task A_stream_is_for_one_model_and_every_message_counts()
    {
        await using var host = await InferenceHost.StartAsync();
        var engine = await host.EngineAsync();
        host.Serve(engine);
        using (var mixed = host.Client.ModelStreamInfer(host.Key, cancellationToken: Token))
        {
            await mixed.RequestStream.WriteAsync(InferenceHost.Request("tiny", 1), Token);
            Assert.True(await mixed.ResponseStream.MoveNext(Token));
            await mixed.RequestStream.WriteAsync(InferenceHost.Request("double", 1), Token);
            Assert.Equal(StatusCode.InvalidArgument, await StatusAsync(() => mixed.ResponseStream.MoveNext(Token)));
        }
        host.Gateway.Limits = new KeyLimits { RequestsPerMinute = 3 };
        host.Serve(engine);
        using var many = host.Client.ModelStreamInfer(host.Key, cancellationToken: Token);
        await many.RequestStream.WriteAsync(InferenceHost.Request("tiny", 1), Token);
        Assert.True(await many.ResponseStream.MoveNext(Token));
        await many.RequestStream.WriteAsync(InferenceHost.Request("tiny", 1), Token);
        Assert.True(await many.ResponseStream.MoveNext(Token));
        await many.RequestStream.WriteAsync(InferenceHost.Request("tiny", 1), Token);
        Assert.Equal(StatusCode.ResourceExhausted, await StatusAsync(() => many.ResponseStream.MoveNext(Token)));
    }

    [Fact]
    public async Task Only_for_those_who_may_and_within_their_limits()
    {
        await using var replica = await GrpcReplica.StartAsync(GrpcReplica.Echo);
        await using var host = await InferenceHost.StartAsync();
        host.Serve(replica.Spec);
        Assert.Equal(StatusCode.Unauthenticated, await InferAsync(host, "tiny", []));
        Assert.Equal(StatusCode.NotFound, await InferAsync(host, "none", host.Key));
        host.Gateway.AllowedModels = ["other"];
        host.Serve(replica.Spec);
        Assert.Equal(StatusCode.PermissionDenied, await InferAsync(host, "tiny", host.Key));
        (host.Gateway.AllowedModels, host.Gateway.Limits) = ([], new KeyLimits { Budget = Money.FromUsd(1) });
        host.Serve(replica.Spec);
        Assert.Equal(StatusCode.PermissionDenied, await InferAsync(host, "tiny", host.Key));
        host.Gateway.Limits = new KeyLimits { RequestsPerMinute = 1 };
        host.Serve(replica.Spec);
        Assert.Equal(StatusCode.OK, await InferAsync(host, "tiny", host.Key));
        Assert.False(replica.Headers.ContainsKey("authorization"));
        var limited = await Assert.ThrowsAsync<RpcException>(async () => await host.Client.ModelInferAsync(InferenceHost.Request("tiny", 1), host.Key, cancellationToken: Token));
        Assert.Equal((StatusCode.ResourceExhausted, true), (limited.StatusCode, long.Parse(limited.Trailers.GetValue("grpc-retry-pushback-ms")!) > 0));
        Assert.Equal(1, replica.Asked);
    }

    [Fact]
    public async Task To_another_replica_where_one_is_gone_or_cannot()
    {
        await using var overloaded = await GrpcReplica.StartAsync(GrpcReplica.Refusing(14));
        await using var good = await GrpcReplica.StartAsync(GrpcReplica.Echo);
        await using var host = await InferenceHost.StartAsync(o => o.Breaker.FailuresInARow = 1000);
        host.Serve(overloaded.Spec, overloaded.Spec with { Task = Contracts.Ids.TaskId.New(DateTimeOffset.UnixEpoch), GrpcPort = 1 }, good.Spec);
        while (overloaded.Asked == 0)
            Assert.Equal(StatusCode.OK, await InferAsync(host, "tiny", host.Key));

        // What is wrong is wrong everywhere, and told as the replica told it.
        await using var strict = await GrpcReplica.StartAsync(GrpcReplica.Refusing(3));
        host.Serve(strict.Spec);
        Assert.Equal(StatusCode.InvalidArgument, await InferAsync(host, "tiny", host.Key));
        Assert.Equal(1, strict.Asked);
        host.Serve(overloaded.Spec);
        Assert.Equal(StatusCode.Unavailable, await InferAsync(host, "tiny", host.Key));
    }

    [Fact]
    public async Task Once_a_sleeping_endpoint_is_awake()
    {
        await using var replica = await GrpcReplica.StartAsync(GrpcReplica.Echo);
        await using var host = await InferenceHost.StartAsync();
        var route = host.Serve();
        using var call = host.Client.ModelInferAsync(InferenceHost.Request("tiny", 1), host.Key, cancellationToken: Token);
        await A_request_survives.UntilAsync(() => host.Gateway.Woken.Count > 0);
        host.Gateway.Serve("tiny", _ => route with { Targets = [(PoolTarget)route.Targets[0] with { Replicas = [replica.Spec] }] });
        await call.ResponseAsync;
        host.Gateway.Serve("tiny", _ => route with { HoldTime = TimeSpan.FromMilliseconds(10) });
        Assert.Equal(StatusCode.Unavailable, await InferAsync(host, "tiny", host.Key));
    }

    [Fact]
    public async Task Until_the_client_leaves_or_the_replica_dies()
    {
        var dead = new TaskCompletionSource();
        await using var replica = await GrpcReplica.StartAsync(async context =>
        {
            await context.Response.Body.FlushAsync();
            await dead.Task.WaitAsync(context.RequestAborted);
            context.Abort();
        });
        await using var host = await InferenceHost.StartAsync();
        host.Serve(replica.Spec);
        using (var left = host.Client.ModelStreamInfer(host.Key, cancellationToken: Token))
        {
            await left.RequestStream.WriteAsync(InferenceHost.Request("tiny", 1), Token);
            await left.ResponseHeadersAsync;
        }
        await A_request_survives.UntilAsync(() => replica.Left == 1 && host.Gateway.Account.Parallel == 0);
        using var call = host.Client.ModelStreamInfer(host.Key, cancellationToken: Token);
        await call.RequestStream.WriteAsync(InferenceHost.Request("tiny", 1), Token);
        await call.ResponseHeadersAsync;
        dead.SetResult();
        Assert.Equal(StatusCode.Unavailable, await StatusAsync(() => call.ResponseStream.MoveNext(Token)));
        await A_request_survives.UntilAsync(() => host.Gateway.Account.Parallel == 0 && host.Gateway.Gateway.Bodies.Taken == 0);
    }

    [Fact]
    public async Task Not_compressed_not_over_HTTP_1_and_not_to_replicas_without_it()
    {
        await using var replica = await FakeReplica.StartAsync();
        await using var host = await InferenceHost.StartAsync();
        host.Serve(GatewayHost.Spec(replica));
        Assert.Equal(StatusCode.Unimplemented, await InferAsync(host, "tiny", host.Key));
        var (_, packed) = await host.RawAsync("ModelInfer", [1, 0, 0, 0, 1, 0]);
        Assert.Equal("12", packed.Headers.GetValues("grpc-status").Single());
        Assert.Equal("identity", packed.Headers.GetValues("grpc-accept-encoding").Single());
        var (_, cut) = await host.RawAsync("ModelInfer", [0, 0, 0, 0, 9, 0x0A]);
        Assert.Equal("3", cut.Headers.GetValues("grpc-status").Single());
        var (_, old) = await host.RawAsync("ModelInfer", [0, 0, 0, 0, 0], HttpVersion.Version11);
        Assert.Equal(HttpStatusCode.HttpVersionNotSupported, old.StatusCode);
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, (await host.Gateway.PostAsync("/inference.GRPCInferenceService/ModelInfer", "{}")).StatusCode);
        Assert.Empty(replica.Asked);
    }

    internal static float[] Numbers(ModelInferResponse answer) => MemoryMarshal.Cast<byte, float>(answer.RawOutputContents.Single().Span).ToArray();

    private static Task<StatusCode> InferAsync(InferenceHost host, string model, Metadata headers) =>
        StatusAsync(async () => await host.Client.ModelInferAsync(InferenceHost.Request(model, 1), headers, cancellationToken: Token));

    private static async Task<StatusCode> StatusAsync(Func<Task> call)
    {
        try
        {
            await call();
            return StatusCode.OK;
        }
        catch (RpcException failed)
        {
            return failed.StatusCode;
        }
    }
}
