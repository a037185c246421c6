using System.Net;
using Cairn.Serving.Tests.Gateway;
using Grpc.Core;

namespace Cairn.Serving.Tests.OpenInference;

public sealed class The_gateway_is_an_inference_server
{
    [Fact]
    public async Task That_tells_anybody_whether_it_lives_and_is_ready()
    {
        await using var host = await InferenceHost.StartAsync();
        host.Gateway.Client.DefaultRequestHeaders.Authorization = null;
        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.ServiceUnavailable), (await GetAsync(host, "/v2/health/live"), await GetAsync(host, "/v2/health/ready")));
        Assert.True((await host.Client.ServerLiveAsync(new())).Live);
        Assert.False((await host.Client.ServerReadyAsync(new())).Ready);
        host.Gateway.Push();
        Assert.Equal(HttpStatusCode.OK, await GetAsync(host, "/v2/health/ready"));
        Assert.True((await host.Client.ServerReadyAsync(new())).Ready);
        Assert.Equal((HttpStatusCode.Unauthorized, HttpStatusCode.Unauthorized), (await GetAsync(host, "/v2"), await GetAsync(host, "/v2/models")));
        var nobody = await Assert.ThrowsAsync<RpcException>(async () => await host.Client.ServerMetadataAsync(new()));
        Assert.Equal(StatusCode.Unauthenticated, nobody.StatusCode);
    }

    [Fact]
    public async Task With_the_models_that_the_key_may_see()
    {
        await using var replica = await FakeReplica.StartAsync();
        await using var host = await InferenceHost.StartAsync();
        host.Gateway.AllowedModels = ["tiny", "asleep", "outside"];
        host.Gateway.Outside("outside", replica, Serving.Gateway.Snapshots.ApiDialect.OpenAi);
        host.Gateway.Serve("secret", replica);
        host.Gateway.Serve("asleep");
        host.Serve(GatewayHost.Spec(replica));
        var server = await GatewayHost.JsonOf(await host.Gateway.Client.GetAsync("/v2"));
        Assert.Equal("cairn", (string?)server["name"]);
        var models = await GatewayHost.JsonOf(await host.Gateway.Client.GetAsync("/v2/models"));
        Assert.Equal(["asleep", "tiny"], models["models"]!.AsArray().Select(m => (string?)m));
        var index = (await GatewayHost.JsonOf(await host.Gateway.PostAsync("/v2/repository/index", ""))).AsArray();
        Assert.Equal([("asleep", "UNAVAILABLE"), ("tiny", "READY")], index.Select(m => ((string)m!["name"]!, (string)m["state"]!)));
        Assert.Single((await GatewayHost.JsonOf(await host.Gateway.PostAsync("/v2/repository/index", """{"ready":true}"""))).AsArray());

        Assert.Equal("cairn", (await host.Client.ServerMetadataAsync(new(), host.Key)).Name);
        var all = await host.Client.RepositoryIndexAsync(new(), host.Key);
        Assert.Equal([("asleep", "UNAVAILABLE"), ("tiny", "READY")], all.Models.Select(m => (m.Name, m.State)));
        Assert.Equal(["tiny"], (await host.Client.RepositoryIndexAsync(new() { Ready = true }, host.Key)).Models.Select(m => m.Name));
    }

    [Fact]
    public async Task Whose_models_are_loaded_by_other_means()
    {
        await using var host = await InferenceHost.StartAsync();
        host.Gateway.Push();
        var load = await Assert.ThrowsAsync<RpcException>(async () => await host.Client.RepositoryModelLoadAsync(new() { ModelName = "tiny" }, host.Key));
        Assert.Equal(StatusCode.Unimplemented, load.StatusCode);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, (await host.Gateway.PostAsync("/v2/repository/models/tiny/load", "")).StatusCode);
        var (_, unknown) = await host.RawAsync("NoSuch", [0, 0, 0, 0, 0]);
        Assert.Equal("12", unknown.Headers.GetValues("grpc-status").Single());
    }

    private static async Task<HttpStatusCode> GetAsync(InferenceHost host, string path) => (await host.Gateway.Client.GetAsync(path)).StatusCode;
}
