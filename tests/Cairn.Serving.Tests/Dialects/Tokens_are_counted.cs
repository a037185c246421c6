using System.Net;
using System.Text.Json.Nodes;
using Cairn.Frameworks.Tests.Oracles;
using Cairn.Serving.Gateway.Snapshots;
using Cairn.Serving.Tests.Gateway;
using Microsoft.AspNetCore.Http;

namespace Cairn.Serving.Tests.Dialects;

public sealed class Tokens_are_counted
{
    private const string Body = """
        {"model":"tiny","system":"Be brief.","messages":[{"role":"user","content":[{"type":"text","text":"Hi"}]}],"tools":[{"name":"get","input_schema":{"type":"object"}}]}
        """;

    [Fact]
    public async Task By_the_replicas_tokenizer_and_for_nothing()
    {
        await using var replica = await FakeReplica.StartAsync(context => context.Response.WriteAsync("""{"count":12,"max_model_len":100,"tokens":[1,2]}"""));
        await using var host = await GatewayHost.StartAsync();
        host.Serve("tiny", replica);
        var answer = await host.PostAsync("/v1/messages/count_tokens", Body);
        Assert.Equal("""{"input_tokens":12}""", await answer.Content.ReadAsStringAsync());
        var (path, sent, _) = Assert.Single(replica.Asked);
        Assert.Equal("/tokenize", path);
        var body = JsonNode.Parse(sent)!.AsObject();
        Assert.Equal(["model", "messages", "tools"], body.Select(m => m.Key));
        Assert.Equal(("up", "Be brief.", "get"), ((string)body["model"]!, (string)body["messages"]![0]!["content"]!, (string)body["tools"]![0]!["function"]!["name"]!));
        Assert.Equal(0, (await host.BookedAsync()).Sum.Cost.Micros);
        Assert.Equal((0L, 0L, 0), (host.Account.Spent.Micros, host.Account.Reserved.Micros, host.Account.Parallel));
    }

    [Fact]
    public async Task By_a_provider_that_speaks_Anthropics_words()
    {
        await using var provider = await FakeReplica.StartAsync(context => context.Response.WriteAsync("""{"input_tokens":9}"""));
        await using var host = await GatewayHost.StartAsync();
        host.Outside("tiny", provider, ApiDialect.Anthropic);
        Assert.Equal(9, (int)(await GatewayHost.JsonOf(await host.PostAsync("/v1/messages/count_tokens", Body)))["input_tokens"]!);
        Assert.Equal("/v1/messages/count_tokens", Assert.Single(provider.Asked).Path);
    }

    [Fact]
    public async Task Or_refused_where_nobody_can_and_that_takes_no_replica_away()
    {
        await using var replica = await FakeReplica.StartAsync(context =>
        {
            if (context.Request.Path != "/tokenize")
                return FakeReplica.Chat(context, "Hello.", 7, 2);
            context.Response.StatusCode = 404;
            return Task.CompletedTask;
        });
        await using var host = await GatewayHost.StartAsync();
        host.Serve("tiny", replica);
        host.Outside("outside", replica, ApiDialect.OpenAi);
        for (var i = 0; i < 20; i++)
        {
            foreach (var model in new[] { "tiny", "outside" })
            {
                var refused = await host.PostAsync("/v1/messages/count_tokens", Body.Replace("tiny", model, StringComparison.Ordinal));
                var error = (await GatewayHost.JsonOf(refused))["error"]!;
                Assert.Equal((HttpStatusCode.BadRequest, "invalid_request_error"), (refused.StatusCode, (string?)error["type"]));
                Assert.Contains("cannot count tokens", (string)error["message"]!, StringComparison.Ordinal);
            }
        }
        Assert.True((await host.ChatAsync("tiny")).IsSuccessStatusCode);
    }

    [Fact]
    [Trait("speed", "slow")]
    public async Task For_Anthropics_own_client()
    {
        await using var replica = await FakeReplica.StartAsync(context => context.Response.WriteAsync("""{"count":12}"""));
        await using var host = await GatewayHost.StartAsync();
        host.Serve("tiny", replica);
        var answer = Oracle.Clients.AskWhole(new JsonObject
        {
            ["sdk"] = "anthropic", ["apiKey"] = host.Key.ToString(), ["baseURL"] = host.Client.BaseAddress!.ToString().TrimEnd('/'), ["method"] = "messages.countTokens",
            ["args"] = new JsonArray(JsonNode.Parse(Body)),
        });
        Assert.Equal(12, (int)answer["value"]!["input_tokens"]!);
    }
}
