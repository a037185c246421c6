using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using Cairn.Serving.Gateway.Limits;
using Microsoft.AspNetCore.Http;

namespace Cairn.Serving.Tests.Gateway;

public sealed class Every_answer_names_its_request
{
    private const string Ask = """{"model":"tiny","messages":[{"role":"user","content":"Hi"}]}""";

    [Fact]
    public async Task Refusals_and_paths_that_nobody_serves()
    {
        await using var host = await GatewayHost.StartAsync(options => options.MostBodyBytes = 1000);
        host.Limits = new KeyLimits { RequestsPerMinute = 2 };
        await using var replica = await FakeReplica.StartAsync();
        host.Serve("tiny", replica);
        host.ServePath("web", replica);

        var large = $$"""{"model":"tiny","messages":[{"role":"user","content":"{{new string('a', 2000)}}"}]}""";
        await NamesAsync(413, host.PostAsync("/v1/chat/completions", large));
        await NamesAsync(404, host.PostAsync("/v1/chat/completions", Ask.Replace("tiny", "nobody", StringComparison.Ordinal)));
        await NamesAsync(404, host.Client.GetAsync("/v1/nothing"), "unknown_url");
        await NamesAsync(405, host.Client.GetAsync("/v1/embeddings"), "method_not_supported");
        await NamesAsync(404, host.Client.GetAsync("/endpoints/nobody/"));
        await NamesAsync(404, host.Client.GetAsync("/v2/models/nobody/ready"));
        await NamesAsync(404, host.Client.GetAsync("/nothing"));
        await NamesAsync(200, host.Client.GetAsync("/v1/models"));
        await NamesAsync(200, host.PostAsync("/v1/chat/completions", Ask));
        await NamesAsync(200, host.Client.GetAsync("/endpoints/web/"));
        await NamesAsync(429, host.PostAsync("/v1/chat/completions", Ask));
        await NamesAsync(429, host.Client.GetAsync("/endpoints/web/"));
        await NamesAsync(429, host.Client.GetAsync("/v2/models/tiny/ready"));
        host.Client.DefaultRequestHeaders.Authorization = null;
        foreach (var path in new[] { "/v1/models", "/v1/responses/x", "/v2/models/tiny/ready", "/endpoints/web/" })
            await NamesAsync(401, host.Client.GetAsync(path));
        await NamesAsync(401, host.PostAsync("/v1/messages", Ask));
    }

    [Fact]
    public async Task And_a_replica_that_passes_through_cannot_say_otherwise()
    {
        await using var host = await GatewayHost.StartAsync();
        await using var replica = await FakeReplica.StartAsync(context =>
        {
            context.Response.Headers["x-request-id"] = "its-own";
            context.Response.Headers["cairn-overhead-ms"] = "-1";
            return context.Response.WriteAsync("{}");
        });
        host.Serve("tiny", replica);
        host.ServePath("web", replica);

        var web = await NamesAsync(200, host.Client.GetAsync("/endpoints/web/a?b=c"));
        Assert.Equal(web, replica.Asked.Last().Headers["x-request-id"]);
        await NamesAsync(200, host.Client.GetAsync("/v2/models/tiny/ready"));
    }

    [Fact]
    public async Task Time_that_a_replica_takes_is_not_the_gateways()
    {
        await using var host = await GatewayHost.StartAsync();
        var took = new ConcurrentDictionary<string, double>();
        await using var replica = await FakeReplica.StartAsync(async context =>
        {
            var came = Stopwatch.GetTimestamp();
            await Task.Delay(600, context.RequestAborted);
            took[context.Request.Headers["x-request-id"].ToString()] = Stopwatch.GetElapsedTime(came).TotalMilliseconds;
            await FakeReplica.Chat(context, "Hello.", 7, 2);
        });
        host.Serve("tiny", replica);
        host.ServePath("web", replica);
        await host.ChatAsync("tiny"); // what is compiled and connected only once
        await host.Client.GetAsync("/endpoints/web/");

        var began = Stopwatch.GetTimestamp();
        foreach (var answer in new[] { host.ChatAsync("tiny"), host.Client.GetAsync("/endpoints/web/"), host.Client.GetAsync("/v2/models/tiny/ready") })
        {
            using var response = await answer;
            // Whatever else took time, on whatever machine, the gateway's part and the replica's are together no more than all of it.
            var all = Stopwatch.GetElapsedTime(began).TotalMilliseconds;
            Assert.InRange(OverheadOf(response), 0, all - took[response.Headers.GetValues("x-request-id").Single()]);
        }
    }

    [Fact]
    public async Task A_stream_too()
    {
        await using var host = await GatewayHost.StartAsync();
        await using var replica = await FakeReplica.StartAsync(context =>
            FakeReplica.Stream(context, [(FakeReplica.Chunk("a"), Task.CompletedTask), (FakeReplica.UsageChunk(1, 1), Task.CompletedTask), ("[DONE]", Task.CompletedTask)]));
        host.Serve("tiny", replica);
        await NamesAsync(200, host.StreamAsync("tiny"));
    }

    private static async Task<string> NamesAsync(int status, Task<HttpResponseMessage> answering, string? code = null)
    {
        using var response = await answering;
        var request = $"{response.RequestMessage!.Method} {response.RequestMessage.RequestUri!.PathAndQuery}";
        Assert.True(status == (int)response.StatusCode, $"{request}: {(int)response.StatusCode}");
        var id = Assert.Single(response.Headers.GetValues("x-request-id"));
        Assert.StartsWith("req_", id, StringComparison.Ordinal);
        Assert.InRange(OverheadOf(response), 0, 10_000);
        if (code is not null)
            Assert.Equal(code, (string?)(await GatewayHost.JsonOf(response))["error"]!["code"]);
        return id;
    }

    private static double OverheadOf(HttpResponseMessage response) =>
        double.Parse(Assert.Single(response.Headers.GetValues("cairn-overhead-ms")), CultureInfo.InvariantCulture);
}
