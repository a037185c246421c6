using System.Net;
using System.Text.Json.Nodes;
using Cairn.Contracts.Units;
using Cairn.Serving.Gateway.Calls;
using Cairn.Serving.Gateway.Limits;
using Cairn.Serving.Gateway.Snapshots;
using Cairn.Serving.Tests.Gateway;
using Microsoft.AspNetCore.Http;

namespace Cairn.Serving.Tests.Dialects;

public sealed class Anthropics_clients_talk_to_replicas
{
    private const string Hello = """{"model":"tiny","max_tokens":50,"messages":[{"role":"user","content":"Hi"}]}""";

    [Fact]
    public async Task In_chat_completions_words_and_get_a_message_back()
    {
        await using var replica = await FakeReplica.StartAsync();
        await using var host = await GatewayHost.StartAsync();
        host.Serve("tiny", replica);
        var response = await host.PostAsync("/v1/messages", Hello);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        var message = await GatewayHost.JsonOf(response);
        Assert.Equal(("message", "assistant", "tiny", "end_turn"),
            ((string)message["type"]!, (string)message["role"]!, (string)message["model"]!, (string)message["stop_reason"]!));
        Assert.Equal("""[{"type":"text","text":"Hello."}]""", message["content"]!.ToJsonString());
        Assert.Equal((7, 2), ((int)message["usage"]!["input_tokens"]!, (int)message["usage"]!["output_tokens"]!));
        Assert.StartsWith("msg_", (string)message["id"]!, StringComparison.Ordinal);
        var asked = Assert.Single(replica.Asked);
        Assert.Equal("/v1/chat/completions", asked.Path);
        Same("""{"messages":[{"role":"user","content":"Hi"}],"model":"up","max_tokens":50}""", asked.Body);
        Assert.Equal(new UsageSum(1, 7, 0, 2, new Money(9)), (await host.BookedAsync()).Sum);
    }

    [Fact]
    public async Task With_system_tools_results_images_and_every_setting()
    {
        await using var replica = await FakeReplica.StartAsync();
        await using var host = await GatewayHost.StartAsync();
        host.Serve("tiny", replica);
        await host.PostAsync("/v1/messages", """
            {"model":"tiny","max_tokens":50,"system":[{"type":"text","text":"Be"},{"type":"text","text":"brief","cache_control":{"type":"ephemeral"}}],
            "temperature":0.5,"top_p":0.9,"top_k":40,"stop_sequences":["END"],"metadata":{"user_id":"u1"},
            "tools":[{"name":"get","description":"d","input_schema":{"type":"object"}}],"tool_choice":{"type":"any","disable_parallel_tool_use":true},
            "messages":[{"role":"user","content":[{"type":"text","text":"See"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AA=="}}]},
            {"role":"assistant","content":[{"type":"thinking","thinking":"x","signature":"y"},{"type":"text","text":"Ok"},{"type":"tool_use","id":"t1","name":"get","input":{"a":1}}]},
            {"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":[{"type":"text","text":"42"}]},{"type":"text","text":"Go on"}]}]}
            """);
        Same("""
            {"messages":[{"role":"system","content":"Be\nbrief"},
            {"role":"user","content":[{"type":"text","text":"See"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="}}]},
            {"role":"assistant","content":"Ok","tool_calls":[{"id":"t1","type":"function","function":{"name":"get","arguments":"{\"a\":1}"}}]},
            {"role":"tool","tool_call_id":"t1","content":"42"},{"role":"user","content":"Go on"}],
            "model":"up","max_tokens":50,"temperature":0.5,"top_p":0.9,"top_k":40,"stop":["END"],"user":"u1",
            "tools":[{"type":"function","function":{"name":"get","parameters":{"type":"object"},"description":"d"}}],"tool_choice":"required","parallel_tool_calls":false}
            """, Assert.Single(replica.Asked).Body);
    }

    [Fact]
    public async Task And_get_tool_calls_as_blocks_and_cached_tokens_beside_the_input()
    {
        await using var replica = await FakeReplica.StartAsync(context =>
        {
            context.Response.ContentType = "application/json";
            return context.Response.WriteAsync("""
                {"choices":[{"index":0,"finish_reason":"tool_calls","message":{"role":"assistant","content":null,
                "tool_calls":[{"id":"t1","type":"function","function":{"name":"get","arguments":"{\"a\":1}"} }]} }],
                "usage":{"prompt_tokens":10,"completion_tokens":3,"prompt_tokens_details":{"cached_tokens":4} } }
                """);
        });
        await using var host = await GatewayHost.StartAsync();
        host.Serve("tiny", replica);
        var message = await GatewayHost.JsonOf(await host.PostAsync("/v1/messages", Hello));
        Assert.Equal("tool_use", (string?)message["stop_reason"]);
        Assert.Equal("""[{"type":"tool_use","id":"t1","name":"get","input":{"a":1}}]""", message["content"]!.ToJsonString());
        Same("""{"input_tokens":6,"cache_creation_input_tokens":0,"cache_read_input_tokens":4,"output_tokens":3}""", message["usage"]!.ToJsonString());
    }

    [Fact]
    public async Task As_a_stream_with_every_event_in_its_place()
    {
        await using var replica = await FakeReplica.StartAsync(Streams.Chat(
            Streams.Delta("""{"role":"assistant","content":""}"""), Streams.Delta("""{"content":"å"}"""), Streams.Delta("""{"content":"😀"}"""),
            Streams.Delta("""{"tool_calls":[{"index":0,"id":"t1","type":"function","function":{"name":"get","arguments":""}}]}"""),
            Streams.Delta("""{"tool_calls":[{"index":0,"function":{"arguments":"{\"a\":"}}]}"""), Streams.Delta("""{"tool_calls":[{"index":0,"function":{"arguments":"1}"}}]}"""),
            Streams.Delta("{}", "tool_calls"), FakeReplica.UsageChunk(7, 5)));
        await using var host = await GatewayHost.StartAsync();
        host.Serve("tiny", replica);
        var response = await host.PostAsync("/v1/messages", Hello.Replace("\"max_tokens\"", "\"stream\":true,\"max_tokens\"", StringComparison.Ordinal));
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType!.MediaType);
        var events = await Streams.EventsOf(response);
        Assert.Equal(["message_start", "content_block_start", "content_block_delta", "content_block_delta", "content_block_stop",
            "content_block_start", "content_block_delta", "content_block_delta", "content_block_stop", "message_delta", "message_stop"], events.Select(e => e.Name));
        Assert.All(events, e => Assert.Equal(e.Name, (string?)e.Data!["type"]));
        Assert.Equal([0, 0, 0, 0, 1, 1, 1, 1], events[1..9].Select(e => (int)e.Data!["index"]!));
        Assert.Equal("å😀", (string)events[2].Data!["delta"]!["text"]! + (string)events[3].Data!["delta"]!["text"]!);
        Assert.Equal("""{"type":"tool_use","id":"t1","name":"get","input":{}}""", events[5].Data!["content_block"]!.ToJsonString());
        Assert.Equal("""{"a":1}""", (string)events[6].Data!["delta"]!["partial_json"]! + (string)events[7].Data!["delta"]!["partial_json"]!);
        Assert.Equal(("tool_use", 7, 5), ((string)events[9].Data!["delta"]!["stop_reason"]!, (int)events[9].Data!["usage"]!["input_tokens"]!,
            (int)events[9].Data!["usage"]!["output_tokens"]!));
        Assert.Equal(new UsageSum(1, 7, 0, 5, new Money(12)), (await host.BookedAsync()).Sum);
        Assert.True((bool)JsonNode.Parse(replica.Asked.Single().Body)!["stream_options"]!["include_usage"]!);
    }

    [Theory]
    [InlineData("it just ends")]
    [InlineData("it tells of an error")]
    public async Task And_a_stream_that_breaks_ends_with_their_error(string how)
    {
        await using var replica = await FakeReplica.StartAsync(context => FakeReplica.Stream(context,
            [(Streams.Delta("""{"content":"half"}"""), Task.CompletedTask), .. how == "it just ends" ? [] : new[] { ("""{"error":{"message":"engine died"}}""", Task.CompletedTask) }]));
        await using var host = await GatewayHost.StartAsync();
        host.Serve("tiny", replica);
        var events = await Streams.EventsOf(await host.PostAsync("/v1/messages", Hello.Replace("\"max_tokens\"", "\"stream\":true,\"max_tokens\"", StringComparison.Ordinal)));
        Assert.Equal(("error", "error", "api_error"), (events[^1].Name, (string?)events[^1].Data!["type"], (string?)events[^1].Data!["error"]!["type"]));
        Assert.DoesNotContain(events, e => e.Name == "message_stop");
        await host.BookedAsync();
        Assert.Equal((0, 0), (host.Account.Reserved.Micros, host.Account.Parallel));
    }

    [Theory]
    [InlineData("""{"model":"tiny","messages":[{"role":"user","content":"Hi"}]}""", 400, "invalid_request_error")]
    [InlineData("""{"model":"tiny","max_tokens":5,"messages":[{"role":"system","content":"Hi"}]}""", 400, "invalid_request_error")]
    [InlineData("""{"model":"tiny","max_tokens":5,"messages":[{"role":"user","content":[{"type":"document"}]}]}""", 400, "invalid_request_error")]
    [InlineData("""{"model":"tiny","max_tokens":5,"messages":[{"role":"user","content":"Hi"}],"tools":[{"type":"web_search_20250305","name":"web_search"}]}""", 400, "invalid_request_error")]
    [InlineData("""{"model":"tiny","max_tokens":5,"messages":[7]}""", 400, "invalid_request_error")]
    [InlineData("""{"model":"tiny","max_tokens":5,"messages":[{"role":"user","role":"user","content":"\ud800"}]}""", 400, "invalid_request_error")]
    [InlineData("""{"model":"none","max_tokens":5,"messages":[]}""", 404, "not_found_error")]
    public async Task And_a_bad_request_gets_their_typed_error(string body, int status, string type)
    {
        await using var replica = await FakeReplica.StartAsync();
        await using var host = await GatewayHost.StartAsync();
        host.Serve("tiny", replica);
        var response = await host.PostAsync("/v1/messages", body);
        var error = await GatewayHost.JsonOf(response);
        Assert.Equal((status, "error", type), ((int)response.StatusCode, (string?)error["type"], (string?)error["error"]!["type"]));
        Assert.Empty(replica.Asked);
    }

    [Fact]
    public async Task And_a_replicas_refusal_comes_in_their_words()
    {
        await using var replica = await FakeReplica.StartAsync(context =>
        {
            context.Response.StatusCode = 400;
            return context.Response.WriteAsync("""{"error":{"message":"too long","type":"x"}}""");
        });
        await using var host = await GatewayHost.StartAsync();
        host.Serve("tiny", replica);
        var response = await host.PostAsync("/v1/messages", Hello);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Same("""{"type":"error","error":{"type":"invalid_request_error","message":"too long"}}""", await response.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task And_an_answer_that_makes_no_sense_is_an_error_and_no_hang()
    {
        await using var replica = await FakeReplica.StartAsync(context => context.Response.WriteAsync("hello"));
        await using var host = await GatewayHost.StartAsync();
        host.Serve("tiny", replica);
        var response = await host.PostAsync("/v1/messages", Hello);
        Assert.Equal((HttpStatusCode.BadGateway, "api_error"), (response.StatusCode, (string?)(await GatewayHost.JsonOf(response))["error"]!["type"]));
    }

    [Fact]
    public async Task Within_the_same_limits()
    {
        await using var replica = await FakeReplica.StartAsync();
        await using var host = await GatewayHost.StartAsync();
        host.Limits = new KeyLimits { RequestsPerMinute = 1 };
        host.Serve("tiny", replica);
        Assert.Equal(HttpStatusCode.OK, (await host.PostAsync("/v1/messages", Hello)).StatusCode);
        var refused = await host.PostAsync("/v1/messages", Hello);
        Assert.Equal((HttpStatusCode.TooManyRequests, "rate_limit_error"), (refused.StatusCode, (string?)(await GatewayHost.JsonOf(refused))["error"]!["type"]));
    }

    [Fact]
    public async Task And_straight_through_to_a_provider_that_speaks_as_they_do()
    {
        await using var provider = await FakeReplica.StartAsync(context =>
            context.Response.WriteAsync("""{"type":"message","usage":{"input_tokens":3,"output_tokens":4}}"""));
        await using var host = await GatewayHost.StartAsync();
        host.Outside("tiny", provider, ApiDialect.Anthropic);
        var body = """{"model":"tiny","max_tokens":5,"messages":[{"role":"user","content":[{"type":"document","x":1}]}]}""";
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/messages") { Content = new StringContent(body) };
        request.Headers.Add("anthropic-version", "2023-06-01");
        request.Headers.Add("anthropic-beta", "some-beta");
        Assert.Equal("""{"type":"message","usage":{"input_tokens":3,"output_tokens":4}}""", await (await host.Client.SendAsync(request)).Content.ReadAsStringAsync());
        var asked = Assert.Single(provider.Asked);
        Assert.Equal(body.Replace("tiny", "up", StringComparison.Ordinal), asked.Body);
        Assert.Equal(("/v1/messages", "secret", "2023-06-01", "some-beta"), (asked.Path, asked.Headers["x-api-key"], asked.Headers["anthropic-version"], asked.Headers["anthropic-beta"]));
        Assert.Equal(new UsageSum(1, 3, 0, 4, new Money(7)), (await host.BookedAsync()).Sum);
    }

    internal static void Same(string expected, string got) =>
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(expected), JsonNode.Parse(got)), $"Expected {JsonNode.Parse(expected)!.ToJsonString()}, got {got}");
}
