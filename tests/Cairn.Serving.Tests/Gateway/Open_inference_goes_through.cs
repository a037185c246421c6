using System.Net;
using Cairn.Contracts.Units;
using Cairn.Serving.Gateway.Calls;
using Cairn.Serving.Gateway.Limits;
using Microsoft.AspNetCore.Http;

namespace Cairn.Serving.Tests.Gateway;

public sealed class Open_inference_goes_through
{
    [Fact]
    public async Task Under_the_replicas_name_of_the_model_with_binary_tensors_and_its_own_headers()
    {
        await using var replica = await FakeReplica.StartAsync(context =>
        {
            context.Response.Headers["Inference-Header-Content-Length"] = "2";
            context.Response.ContentType = "application/octet-stream";
            return context.Response.Body.WriteAsync("{}\u0001"u8.ToArray()).AsTask();
        });
        await using var host = await GatewayHost.StartAsync();
        host.Serve("tiny", replica);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v2/models/tiny/versions/1/infer?a=b") { Content = new ByteArrayContent("{}\u0002"u8.ToArray()) };
        request.Headers.Add("Inference-Header-Content-Length", "2");
        var response = await host.Client.SendAsync(request);
        Assert.Equal((HttpStatusCode.OK, "2"), (response.StatusCode, response.Headers.GetValues("Inference-Header-Content-Length").Single()));
        Assert.Equal("{}\u0001"u8.ToArray(), await response.Content.ReadAsByteArrayAsync());
        var asked = Assert.Single(replica.Asked);
        Assert.Equal(("/v2/models/up/versions/1/infer", "{}\u0002", "2"), (asked.Path, asked.Body, asked.Headers["Inference-Header-Content-Length"]));
        Assert.False(asked.Headers.ContainsKey("Authorization"));
        await host.Client.GetAsync("/v2/models/tiny");
        Assert.Equal("/v2/models/up", replica.Asked.Last().Path);
        Assert.Equal(new UsageSum(2, 0, 0, 0, Money.Zero), (await host.BookedAsync(2)).Sum);
    }

    [Fact]
    public async Task Streamed_without_holding_back()
    {
        var gate = new TaskCompletionSource();
        await using var replica = await FakeReplica.StartAsync(context => FakeReplica.Stream(context, [("one", Task.CompletedTask), ("two", gate.Task)]));
        await using var host = await GatewayHost.StartAsync();
        host.Serve("tiny", replica);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v2/models/tiny/generate_stream") { Content = new StringContent("{}") };
        using var response = await host.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        Assert.Equal("data: one", await reader.ReadLineAsync());
        gate.SetResult();
        Assert.Equal("\ndata: two\n\n", await reader.ReadToEndAsync());
    }

    [Theory]
    [InlineData(10, 200)]
    [InlineData(2 << 20, 503)]
    public async Task To_another_replica_where_one_fails_and_the_body_is_small(int bytes, int status)
    {
        await using var bad = await FakeReplica.StartAsync(context =>
        {
            context.Response.StatusCode = 503;
            return Task.CompletedTask;
        });
        await using var good = await FakeReplica.StartAsync();
        await using var host = await GatewayHost.StartAsync(o => o.Breaker.FailuresInARow = 1000);
        host.Serve("tiny", bad, good);
        while (bad.Asked.IsEmpty)
        {
            var response = await host.PostAsync("/v2/models/tiny/infer", new string('x', bytes));
            Assert.Equal(bad.Asked.IsEmpty ? 200 : status, (int)response.StatusCode);
        }
        Assert.All(good.Asked, asked => Assert.Equal(bytes, asked.Body.Length));
    }

    [Fact]
    public async Task Only_for_those_who_may_and_within_their_limits()
    {
        await using var replica = await FakeReplica.StartAsync();
        await using var host = await GatewayHost.StartAsync();
        host.Serve("tiny", replica);
        var missing = await host.Client.GetAsync("/v2/models/none");
        Assert.Equal(HttpStatusCode.NotFound, missing.StatusCode);
        Assert.Contains("none", (string?)(await GatewayHost.JsonOf(missing))["error"], StringComparison.Ordinal);
        host.Limits = new KeyLimits { RequestsPerMinute = 1 };
        host.Push();
        Assert.Equal(HttpStatusCode.OK, (await host.PostAsync("/v2/models/tiny/infer", "{}")).StatusCode);
        Assert.Equal(HttpStatusCode.TooManyRequests, (await host.PostAsync("/v2/models/tiny/infer", "{}")).StatusCode);
        host.Client.DefaultRequestHeaders.Authorization = null;
        Assert.Equal(HttpStatusCode.Unauthorized, (await host.PostAsync("/v2/models/tiny/infer", "{}")).StatusCode);
        Assert.Single(replica.Asked);
    }
}
