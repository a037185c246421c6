using System.Net;
using System.Text;
using System.Text.Json.Nodes;

namespace Cairn.Serving.Tests.Gateway;

public sealed class Bad_input_gets_a_typed_error
{
    [Theory]
    [InlineData("", 400, null)]
    [InlineData("nonsense", 400, null)]
    [InlineData("[]", 400, null)]
    [InlineData("{}", 400, "model")]
    [InlineData("""{"model":"tiny"}""", 400, "messages")]
    [InlineData("""{"model":5,"messages":[]}""", 400, "model")]
    [InlineData("""{"model":"","messages":[]}""", 400, "model")]
    [InlineData("""{"model":"tiny","model":"other","messages":[]}""", 400, "model")]
    [InlineData("""{"model":"tiny","messages":[],"stream":"yes"}""", 400, "stream")]
    [InlineData("""{"model":"tiny","messages":[],"n":0}""", 400, "n")]
    [InlineData("""{"model":"tiny","messages":[],"n":-3}""", 400, "n")]
    [InlineData("""{"model":"tiny","messages":[],"max_tokens":-1}""", 400, "max_tokens")]
    [InlineData("""{"model":"tiny","messages":[],"max_tokens":1.5}""", 400, "max_tokens")]
    [InlineData("""{"model":"tiny","messages":[],"max_tokens":1,"max_completion_tokens":2}""", 400, "max_completion_tokens")]
    [InlineData("""{"model":"tiny","messages":[],"stream_options":7}""", 400, "stream_options")]
    [InlineData("""{"model":"tiny","messages":[]} trailing""", 400, null)]
    [InlineData("""{"model":"tiny","messages":[{"content":"cut o""", 400, null)]
    [InlineData("""{"model":"missing","messages":[]}""", 404, "model")]
    public async Task And_reaches_no_replica(string body, int status, string? param)
    {
        await using var replica = await FakeReplica.StartAsync();
        await using var host = await GatewayHost.StartAsync();
        host.Serve("tiny", replica);
        var response = await host.PostAsync("/v1/chat/completions", body);
        Assert.Equal(status, (int)response.StatusCode);
        var error = (await GatewayHost.JsonOf(response))["error"]!;
        Assert.Equal(("invalid_request_error", param), ((string?)error["type"], (string?)error["param"]));
        Assert.NotEqual("", (string?)error["message"]);
        Assert.Empty(replica.Asked);
    }

    [Fact]
    public async Task Invalid_utf8_deep_nesting_and_ten_megabytes()
    {
        await using var host = await GatewayHost.StartAsync();
        host.Serve("tiny");
        byte[][] bodies =
        [
            [.. """{"model":"tiny","messages":[{"content":" """u8, 0xC3, 0x28, .. "\"}]}"u8],
            Encoding.UTF8.GetBytes("""{"model":"tiny","messages":""" + new string('[', 5000) + new string(']', 5000) + "}"),
        ];
        foreach (var body in bodies)
            Assert.Equal(HttpStatusCode.BadRequest, (await host.Client.PostAsync("/v1/chat/completions", new ByteArrayContent(body))).StatusCode);

        var large = Encoding.UTF8.GetBytes($$"""{"model":"tiny","messages":[{"role":"user","content":"{{new string('x', 10 << 20)}}"}]}""");
        var told = await host.Client.PostAsync("/v1/chat/completions", new ByteArrayContent(large));
        Assert.Equal((HttpStatusCode.RequestEntityTooLarge, "request_too_large"), (told.StatusCode, (string?)(await GatewayHost.JsonOf(told))["error"]!["code"]));
    }

    [Fact]
    public async Task A_key_that_is_wrong_missing_or_not_allowed()
    {
        await using var host = await GatewayHost.StartAsync();
        host.AllowedModels = ["other"];
        host.Serve("tiny");
        Assert.Equal(HttpStatusCode.Forbidden, (await host.ChatAsync("tiny")).StatusCode);
        foreach (var key in new[] { null, "sk-nonsense", host.Key.ToString()[..^1] + (host.Key.ToString()[^1] == 'x' ? "y" : "x") })
        {
            host.Client.DefaultRequestHeaders.Authorization = key is null ? null : new("Bearer", key);
            var response = await host.ChatAsync("tiny");
            Assert.Equal((HttpStatusCode.Unauthorized, "invalid_api_key"), (response.StatusCode, (string?)(await GatewayHost.JsonOf(response))["error"]!["code"]));
        }
        host.Client.DefaultRequestHeaders.Authorization = null;
        host.Client.DefaultRequestHeaders.Add("x-api-key", host.Key.ToString());
        Assert.Equal(HttpStatusCode.Forbidden, (await host.ChatAsync("tiny")).StatusCode);
    }

    [Fact]
    public async Task Bodies_beyond_the_memory_for_them_are_told_to_come_again()
    {
        await using var host = await GatewayHost.StartAsync(o => o.BodyMemoryBytes = 64 << 10);
        host.Serve("tiny");
        var response = await host.ChatAsync("tiny", new string('x', 100_000));
        Assert.Equal(("overloaded", "1"), ((string?)(await GatewayHost.JsonOf(response))["error"]!["code"], response.Headers.RetryAfter!.ToString()));
    }

    [Fact]
    public async Task A_replicas_own_refusal_is_passed_on_and_costs_nothing()
    {
        await using var replica = await FakeReplica.StartAsync(async context =>
        {
            context.Response.StatusCode = 400;
            context.Response.ContentType = "application/json";
            await Microsoft.AspNetCore.Http.HttpResponseWritingExtensions.WriteAsync(context.Response, """{"error":{"message":"too long","code":"context_length_exceeded"}}""");
        });
        await using var host = await GatewayHost.StartAsync();
        host.Serve("tiny", replica);
        var response = await host.ChatAsync("tiny");
        Assert.Equal((HttpStatusCode.BadRequest, "context_length_exceeded"), (response.StatusCode, (string?)JsonNode.Parse(await response.Content.ReadAsStringAsync())!["error"]!["code"]));
        Assert.Equal(0, host.Account.Spent.Micros);
    }
}
