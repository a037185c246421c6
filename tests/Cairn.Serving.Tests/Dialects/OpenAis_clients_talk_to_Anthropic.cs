using System.Net;
using System.Text.Json.Nodes;
using Cairn.Contracts.Units;
using Cairn.Serving.Gateway.Calls;
using Cairn.Serving.Gateway.Snapshots;
using Cairn.Serving.Tests.Gateway;
using Microsoft.AspNetCore.Http;
using static Cairn.Serving.Tests.Dialects.Anthropics_clients_talk_to_replicas;

namespace Cairn.Serving.Tests.Dialects;

public sealed class OpenAis_clients_talk_to_Anthropic
{
    private const string Message = """
        {"id":"m","type":"message","role":"assistant","content":[{"type":"thinking","thinking":"hm"},{"type":"text","text":"Hi"},{"type":"tool_use","id":"t1","name":"get","input":{"a":1}}],
        "stop_reason":"tool_use","usage":{"input_tokens":5,"cache_read_input_tokens":3,"output_tokens":2}}
        """;

    [Fact]
    public async Task With_turns_tools_and_settings_in_its_words()
    {
        await using var provider = await FakeReplica.StartAsync(context => context.Response.WriteAsync(Message));
        await using var host = await GatewayHost.StartAsync();
        host.Outside("claude", provider, ApiDialect.Anthropic);
        var response = await host.PostAsync("/v1/chat/completions", """
            {"model":"claude","temperature":1.7,"stop":"END","user":"u1","seed":7,
            "tools":[{"type":"function","function":{"name":"get","description":"d","parameters":{"type":"object"}}}],"tool_choice":"required","parallel_tool_calls":false,
            "messages":[{"role":"system","content":"Be brief"},{"role":"user","content":[{"type":"text","text":"Hi"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="}}]},
            {"role":"assistant","content":null,"tool_calls":[{"id":"t1","type":"function","function":{"name":"get","arguments":"{\"a\":1}"}},{"id":"t2","type":"function","function":{"name":"get","arguments":""}}]},
            {"role":"tool","tool_call_id":"t1","content":"1"},{"role":"tool","tool_call_id":"t2","content":"2"}]}
            """);
        var asked = Assert.Single(provider.Asked);
        Assert.Equal(("/v1/messages", "secret"), (asked.Path, asked.Headers["x-api-key"]));
        Assert.False(asked.Headers.ContainsKey("Authorization"));
        Same("""
            {"model":"up","max_tokens":100,"system":"Be brief","temperature":1,"stop_sequences":["END"],"metadata":{"user_id":"u1"},
            "tools":[{"name":"get","description":"d","input_schema":{"type":"object"}}],"tool_choice":{"type":"any","disable_parallel_tool_use":true},
            "messages":[{"role":"user","content":[{"type":"text","text":"Hi"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AA=="}}]},
            {"role":"assistant","content":[{"type":"tool_use","id":"t1","name":"get","input":{"a":1}},{"type":"tool_use","id":"t2","name":"get","input":{}}]},
            {"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":"1"},{"type":"tool_result","tool_use_id":"t2","content":"2"}]}]}
            """, asked.Body);
        var chat = await GatewayHost.JsonOf(response);
        Assert.Equal(("chat.completion", "claude"), ((string)chat["object"]!, (string)chat["model"]!));
        Same("""
            {"index":0,"logprobs":null,"finish_reason":"tool_calls","message":{"role":"assistant","content":"Hi","refusal":null,
            "tool_calls":[{"id":"t1","type":"function","function":{"name":"get","arguments":"{\"a\":1}"}}]}}
            """, chat["choices"]![0]!.ToJsonString());
        Same("""{"prompt_tokens":8,"completion_tokens":2,"total_tokens":10,"prompt_tokens_details":{"cached_tokens":3}}""", chat["usage"]!.ToJsonString());
        Assert.Equal(new UsageSum(1, 8, 3, 2, new Money(10)), (await host.BookedAsync()).Sum);
    }

    [Fact]
    public async Task As_a_stream_of_chunks()
    {
        await using var provider = await FakeReplica.StartAsync(Streams.Named(
            """{"type":"message_start","message":{"id":"m","usage":{"input_tokens":5,"output_tokens":1}}}""",
            """{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}""", """{"type":"ping"}""",
            """{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"å😀"}}""", """{"type":"content_block_stop","index":0}""",
            """{"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"t1","name":"get","input":{}}}""",
            """{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"{}"}}""", """{"type":"content_block_stop","index":1}""",
            """{"type":"message_delta","delta":{"stop_reason":"max_tokens","stop_sequence":null},"usage":{"output_tokens":9}}""", """{"type":"message_stop"}"""));
        await using var host = await GatewayHost.StartAsync();
        host.Outside("claude", provider, ApiDialect.Anthropic);
        var events = (await Streams.EventsOf(await host.StreamAsync("claude", """,  "stream_options" : {"include_usage" : true}"""))).Where(e => e.Data is not null).ToList();
        Assert.Equal("[DONE]", (string?)events[^1].Data);
        var deltas = events[..^2].Select(e => e.Data!["choices"]![0]!["delta"]!).ToList();
        Same("""{"role":"assistant","content":"","refusal":null}""", deltas[0].ToJsonString());
        Assert.Equal("å😀", (string?)deltas[1]["content"]);
        Same("""{"tool_calls":[{"index":0,"id":"t1","type":"function","function":{"name":"get","arguments":""}}]}""", deltas[2].ToJsonString());
        Same("""{"tool_calls":[{"index":0,"function":{"arguments":"{}"}}]}""", deltas[3].ToJsonString());
        Assert.Equal("length", (string?)events[^3].Data!["choices"]![0]!["finish_reason"]);
        Assert.Equal((5, 9, 0), ((int)events[^2].Data!["usage"]!["prompt_tokens"]!, (int)events[^2].Data!["usage"]!["completion_tokens"]!, events[^2].Data!["choices"]!.AsArray().Count));
        Assert.Equal(new UsageSum(1, 5, 0, 9, new Money(14)), (await host.BookedAsync()).Sum);
    }

    [Fact]
    public async Task And_an_error_within_the_stream_is_told_in_their_words()
    {
        await using var provider = await FakeReplica.StartAsync(Streams.Named(
            """{"type":"message_start","message":{"usage":{"input_tokens":5}}}""", """{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"""));
        await using var host = await GatewayHost.StartAsync();
        host.Outside("claude", provider, ApiDialect.Anthropic);
        var events = await Streams.EventsOf(await host.StreamAsync("claude"));
        Assert.Contains("Overloaded", (string?)events[^1].Data!["error"]!["message"], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/v1/chat/completions", ""","n":2""")]
    [InlineData("/v1/chat/completions", ""","logprobs":true""")]
    [InlineData("/v1/chat/completions", ""","response_format":{"type":"json_object"}""")]
    [InlineData("/v1/completions", ""","prompt":"x" """)]
    public async Task But_what_it_has_no_words_for_is_refused(string path, string more)
    {
        await using var provider = await FakeReplica.StartAsync();
        await using var host = await GatewayHost.StartAsync();
        host.Outside("claude", provider, ApiDialect.Anthropic);
        var response = await host.PostAsync(path, $$"""{"model":"claude","messages":[{"role":"user","content":"Hi"}]{{more}}}""");
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Empty(provider.Asked);
    }

    [Fact]
    public async Task And_a_provider_stands_in_where_the_replicas_fail()
    {
        await using var bad = await FakeReplica.StartAsync(context =>
        {
            context.Response.StatusCode = 500;
            return Task.CompletedTask;
        });
        await using var provider = await FakeReplica.StartAsync(context => context.Response.WriteAsync(Message));
        await using var host = await GatewayHost.StartAsync();
        host.Outside("claude", provider, ApiDialect.Anthropic);
        host.Serve("tiny", r => r with { Fallbacks = ["claude"] }, bad);
        Assert.Equal("Hi", (string?)(await GatewayHost.JsonOf(await host.ChatAsync("tiny")))["choices"]![0]!["message"]!["content"]);
        Assert.Equal("up", (string?)JsonNode.Parse(provider.Asked.Single().Body)!["model"]);
    }
}
