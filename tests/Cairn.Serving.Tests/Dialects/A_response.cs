using System.Net;
using System.Text.Json.Nodes;
using Cairn.Contracts.Units;
using Cairn.Serving.Gateway.Calls;
using Cairn.Serving.Gateway.Snapshots;
using Cairn.Serving.Tests.Gateway;
using static Cairn.Serving.Tests.Dialects.Anthropics_clients_talk_to_replicas;

namespace Cairn.Serving.Tests.Dialects;

public sealed class A_response
{
    private const string Path = "/v1/responses";

    [Fact]
    public async Task Is_made_of_a_chat_completion()
    {
        await using var replica = await FakeReplica.StartAsync();
        await using var host = await GatewayHost.StartAsync();
        host.Serve("tiny", replica);
        var answer = await host.PostAsync(Path, """{"model":"tiny","input":"Hi","instructions":"Be brief","max_output_tokens":50,"metadata":{"a":"b"}}""");
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        var response = await GatewayHost.JsonOf(answer);
        Assert.Equal(("response", "completed", "tiny", "Be brief", 50, false), ((string)response["object"]!, (string)response["status"]!, (string)response["model"]!,
            (string)response["instructions"]!, (int)response["max_output_tokens"]!, (bool)response["store"]!));
        var item = Assert.Single(response["output"]!.AsArray())!;
        Assert.Equal(("message", "completed", "assistant"), ((string)item["type"]!, (string)item["status"]!, (string)item["role"]!));
        Same("""[{"type":"output_text","text":"Hello.","annotations":[],"logprobs":[]}]""", item["content"]!.ToJsonString());
        Same("""{"input_tokens":7,"input_tokens_details":{"cached_tokens":0},"output_tokens":2,"output_tokens_details":{"reasoning_tokens":0},"total_tokens":9}""",
            response["usage"]!.ToJsonString());
        Assert.Equal("resp_" + answer.Headers.GetValues("x-request-id").Single()[4..], (string?)response["id"]);
        var asked = Assert.Single(replica.Asked);
        Assert.Equal("/v1/chat/completions", asked.Path);
        Same("""{"messages":[{"role":"system","content":"Be brief"},{"role":"user","content":"Hi"}],"model":"up","max_tokens":50}""", asked.Body);
        Assert.Equal(new UsageSum(1, 7, 0, 2, new Money(9)), (await host.BookedAsync()).Sum);
    }

    [Fact]
    public async Task Is_asked_for_with_items_functions_and_a_schema()
    {
        await using var replica = await FakeReplica.StartAsync();
        await using var host = await GatewayHost.StartAsync();
        host.Serve("tiny", replica);
        await host.PostAsync(Path, """
            {"model":"tiny","temperature":0.5,"reasoning":{"effort":"low"},"parallel_tool_calls":false,"tool_choice":{"type":"function","name":"get"},
            "tools":[{"type":"function","name":"get","description":"d","parameters":{"type":"object"},"strict":true}],
            "text":{"format":{"type":"json_schema","name":"s","schema":{"type":"object"},"strict":true},"verbosity":"low"},
            "input":[{"role":"user","content":[{"type":"input_text","text":"See"},{"type":"input_image","image_url":"https://x/y.png","detail":"low"}]},
            {"type":"reasoning","summary":[]},{"type":"message","role":"assistant","content":[{"type":"output_text","text":"Ok"}]},
            {"type":"function_call","call_id":"c1","name":"get","arguments":"{}"},{"type":"function_call","call_id":"c2","name":"get","arguments":"{}"},
            {"type":"function_call_output","call_id":"c1","output":"1"},{"type":"function_call_output","call_id":"c2","output":[{"type":"input_text","text":"2"}]}]}
            """);
        Same("""
            {"model":"up","max_tokens":100,"temperature":0.5,"reasoning_effort":"low","parallel_tool_calls":false,"verbosity":"low",
            "tool_choice":{"type":"function","function":{"name":"get"}},
            "tools":[{"type":"function","function":{"name":"get","description":"d","parameters":{"type":"object"},"strict":true}}],
            "response_format":{"type":"json_schema","json_schema":{"name":"s","schema":{"type":"object"},"strict":true}},
            "messages":[{"role":"user","content":[{"type":"text","text":"See"},{"type":"image_url","image_url":{"url":"https://x/y.png","detail":"low"}}]},
            {"role":"assistant","content":"Ok","tool_calls":[{"id":"c1","type":"function","function":{"name":"get","arguments":"{}"}},
            {"id":"c2","type":"function","function":{"name":"get","arguments":"{}"}}]},
            {"role":"tool","tool_call_id":"c1","content":"1"},{"role":"tool","tool_call_id":"c2","content":"2"}]}
            """, Assert.Single(replica.Asked).Body);
    }

    [Fact]
    public async Task Streams_its_events_in_order_and_numbered_without_a_gap()
    {
        await using var replica = await FakeReplica.StartAsync(Streams.Chat(
            Streams.Delta("""{"role":"assistant","content":""}"""), Streams.Delta("""{"content":"å"}"""), Streams.Delta("""{"content":"😀"}"""),
            Streams.Delta("""{"tool_calls":[{"index":0,"id":"c1","type":"function","function":{"name":"get","arguments":""}}]}"""),
            Streams.Delta("""{"tool_calls":[{"index":0,"function":{"arguments":"{\"a\":1}"}}]}"""), Streams.Delta("{}", "tool_calls"), FakeReplica.UsageChunk(7, 5)));
        await using var host = await GatewayHost.StartAsync();
        host.Serve("tiny", replica);
        var events = await Streams.EventsOf(await host.PostAsync(Path, """{"model":"tiny","input":"Hi","stream":true}"""));
        Assert.Equal(["response.created", "response.in_progress", "response.output_item.added", "response.content_part.added", "response.output_text.delta",
            "response.output_text.delta", "response.output_text.done", "response.content_part.done", "response.output_item.done", "response.output_item.added",
            "response.function_call_arguments.delta", "response.function_call_arguments.done", "response.output_item.done", "response.completed"], events.Select(e => e.Name));
        Assert.All(events, e => Assert.Equal(e.Name, (string?)e.Data!["type"]));
        Assert.Equal(Enumerable.Range(0, events.Count), events.Select(e => (int)e.Data!["sequence_number"]!));
        Assert.Equal("å😀", (string?)events[6].Data!["text"]);
        Assert.Equal((0, 0), ((int)events[4].Data!["output_index"]!, (int)events[4].Data!["content_index"]!));
        Assert.Equal((1, """{"a":1}"""), ((int)events[11].Data!["output_index"]!, (string)events[11].Data!["arguments"]!));
        var whole = events[^1].Data!["response"]!;
        Assert.Equal(("completed", 7, 5), ((string)whole["status"]!, (int)whole["usage"]!["input_tokens"]!, (int)whole["usage"]!["output_tokens"]!));
        Assert.Equal(["message", "function_call"], whole["output"]!.AsArray().Select(i => (string)i!["type"]!));
        Assert.True(JsonNode.DeepEquals(whole["output"]![1], events[12].Data!["item"]));
        Assert.Equal((string?)events[4].Data!["item_id"], (string?)whole["output"]![0]!["id"]);
        Assert.Equal(new UsageSum(1, 7, 0, 5, new Money(12)), (await host.BookedAsync()).Sum);
    }

    [Fact]
    public async Task Is_incomplete_where_its_maximum_was_reached()
    {
        await using var replica = await FakeReplica.StartAsync(Streams.Chat(Streams.Delta("""{"content":"a"}"""), Streams.Delta("{}", "length")));
        await using var host = await GatewayHost.StartAsync();
        host.Serve("tiny", replica);
        var events = await Streams.EventsOf(await host.PostAsync(Path, """{"model":"tiny","input":"Hi","stream":true}"""));
        Assert.Equal("response.incomplete", events[^1].Name);
        Assert.Equal(("incomplete", "max_output_tokens", "incomplete"), ((string)events[^1].Data!["response"]!["status"]!,
            (string)events[^1].Data!["response"]!["incomplete_details"]!["reason"]!, (string)events[^1].Data!["response"]!["output"]![0]!["status"]!));
    }

    [Fact]
    public async Task Fails_with_an_event_where_its_stream_breaks()
    {
        await using var replica = await FakeReplica.StartAsync(context => FakeReplica.Stream(context, [(Streams.Delta("""{"content":"half"}"""), Task.CompletedTask)]));
        await using var host = await GatewayHost.StartAsync();
        host.Serve("tiny", replica);
        var events = await Streams.EventsOf(await host.PostAsync(Path, """{"model":"tiny","input":"Hi","stream":true}"""));
        Assert.Equal(("response.failed", "failed", "server_error"), (events[^1].Name, (string?)events[^1].Data!["response"]!["status"],
            (string?)events[^1].Data!["response"]!["error"]!["code"]));
        Assert.Equal(Enumerable.Range(0, events.Count), events.Select(e => (int)e.Data!["sequence_number"]!));
    }

    [Fact]
    public async Task Comes_from_Anthropic_too()
    {
        await using var provider = await FakeReplica.StartAsync(Streams.Named(
            """{"type":"message_start","message":{"usage":{"input_tokens":5,"output_tokens":1}}}""",
            """{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi"}}""",
            """{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":9}}""", """{"type":"message_stop"}"""));
        await using var host = await GatewayHost.StartAsync();
        host.Outside("claude", provider, ApiDialect.Anthropic);
        var events = await Streams.EventsOf(await host.PostAsync(Path, """{"model":"claude","input":"Hi","instructions":"Be brief","stream":true}"""));
        Assert.Equal(("response.completed", 5, 9), (events[^1].Name, (int)events[^1].Data!["response"]!["usage"]!["input_tokens"]!, (int)events[^1].Data!["response"]!["usage"]!["output_tokens"]!));
        Assert.Equal("Hi", (string?)events[^1].Data!["response"]!["output"]![0]!["content"]![0]!["text"]);
        Same("""{"messages":[{"role":"user","content":[{"type":"text","text":"Hi"}]}],"system":"Be brief","model":"up","stream":true,"max_tokens":100}""", Assert.Single(provider.Asked).Body);
    }

    [Theory]
    [InlineData("""{"model":"tiny","input":7}""", "input")]
    [InlineData("""{"model":"tiny","input":[{"type":"item_reference","id":"x"}]}""", "input[0].type")]
    [InlineData("""{"model":"tiny","input":"Hi","background":true}""", "background")]
    [InlineData("""{"model":"tiny","input":"Hi","store":true}""", "store")]
    [InlineData("""{"model":"tiny","input":"Hi","tools":[{"type":"web_search"}]}""", "tools[0].type")]
    [InlineData("""{"model":"tiny","input":"Hi","text":{"format":{"type":"xml"}}}""", "text.format.type")]
    [InlineData("""{"model":"tiny","input":"Hi","previous_response_id":"resp_x"}""", "previous_response_id")]
    public async Task Is_refused_with_the_field_at_fault(string body, string param)
    {
        await using var replica = await FakeReplica.StartAsync();
        await using var host = await GatewayHost.StartAsync();
        host.Serve("tiny", replica);
        var response = await host.PostAsync(Path, body);
        Assert.Equal((HttpStatusCode.BadRequest, param), (response.StatusCode, (string?)(await GatewayHost.JsonOf(response))["error"]!["param"]));
        Assert.Empty(replica.Asked);
    }
}
