using Cairn.Serving.Tests.Certificates;
using Grpc.Core;

namespace Cairn.Serving.Tests.OpenInference;

public sealed class Open_inference_over_TLS
{
    [Fact]
    public async Task Goes_through_where_ALPN_tells_the_protocol()
    {
        var token = TestContext.Current.CancellationToken;
        using var authority = new TestAuthority();
        await using var host = await InferenceHost.StartAsync(authority);
        host.Serve(await host.EngineAsync());
        Assert.Equal("https", host.Gateway.Client.BaseAddress!.Scheme);
        var answer = await host.Client.ModelInferAsync(InferenceHost.Request("tiny", 1, -2), host.Key, cancellationToken: token);
        Assert.Equal([2, -4], Open_inference_over_gRPC_goes_through.Numbers(answer));
        using var stream = host.Client.ModelStreamInfer(host.Key, cancellationToken: token);
        await stream.RequestStream.WriteAsync(InferenceHost.Request("tiny", 3), token);
        Assert.True(await stream.ResponseStream.MoveNext(token));
        Assert.Equal([6], Open_inference_over_gRPC_goes_through.Numbers(stream.ResponseStream.Current.InferResponse));
        var unknown = await Assert.ThrowsAsync<RpcException>(async () => await host.Client.ModelInferAsync(InferenceHost.Request("none", 1), host.Key, cancellationToken: token));
        Assert.Equal(StatusCode.NotFound, unknown.StatusCode);
    }
}
