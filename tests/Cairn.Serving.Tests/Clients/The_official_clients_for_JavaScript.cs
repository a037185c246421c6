using System.Text.Json.Nodes;
using Cairn.Frameworks.Tests.Oracles;
using Cairn.Serving.Gateway.Limits;
using Cairn.Serving.Responses;
using Cairn.Serving.Tests.Dialects;
using Cairn.Serving.Tests.Gateway;
using Cairn.State;
using Microsoft.AspNetCore.Http;

namespace Cairn.Serving.Tests.Clients;

[Trait("speed", "slow")]
public sealed class The_official_clients_for_JavaScript : IAsyncLifetime
{
    private const string Tools = """[{"type":"function","function":{"name":"get","parameters":{"type":"object"}}}]""";
    private static readonly string[] s_stream =
    [
        Streams.Delta("""{"role":"assistant","content":""}"""), Streams.Delta("""{"content":"Hel"}"""), Streams.Delta("""{"content":"lo å😀"}"""),
        Streams.Delta("""{"tool_calls":[{"index":0,"id":"t1","type":"function","function":{"name":"get","arguments":""}}]}"""),
        Streams.Delta("""{"tool_calls":[{"index":0,"function":{"arguments":"{\"a\":1}"}}]}"""), Streams.Delta("{}", "tool_calls"), FakeReplica.UsageChunk(7, 5),
    ];

    private readonly string _folder = Directory.CreateTempSubdirectory("cairn-clients-").FullName;
    private Store _store = null!;
    private FakeReplica _replica = null!;
    private GatewayHost _host = null!;

    public async ValueTask InitializeAsync()
    {
        _store = await Store.OpenAsync(new StoreOptions { Database = Path.Combine(_folder, "cairn.db") }, ServingMigrations.All, TimeProvider.System, default);
        _replica = await FakeReplica.StartAsync(AnswerAsync);
        _host = await GatewayHost.StartAsync(responses: new ResponseRows(_store, TimeProvider.System));
        _host.Serve("tiny", _replica);
    }

    public async ValueTask DisposeAsync()
    {
        await _host.DisposeAsync();
        await _replica.DisposeAsync();
        await _store.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void Of_OpenAI_list_and_find_models()
    {
        Assert.Equal("tiny", (string?)Assert.Single(Must("openai", "models.list", mode: "list")!.AsArray())!["id"]);
        Assert.Equal("tiny", (string?)Must("openai", "models.retrieve", mode: null, "\"tiny\"")!["id"]);
        Assert.Equal(("NotFoundError", 404), Refused("openai", "models.retrieve", "\"none\""));
    }

    [Fact]
    public void Of_OpenAI_chat_whole_and_streamed()
    {
        var whole = Must("openai", "chat.completions.create", null, """{"model":"tiny","messages":[{"role":"user","content":"Hi"}]}""");
        Assert.Equal("Hello.", (string?)whole!["choices"]![0]!["message"]!["content"]);
        var body = $$"""{"model":"tiny","messages":[{"role":"user","content":"Hi"}],"stream":true,"tools":{{Tools}}}""";
        var final = Must("openai", "chat.completions.stream", "finalChatCompletion", body)!["choices"]![0]!["message"]!;
        Assert.Equal(("Hello å😀", """{"a":1}"""), ((string)final["content"]!, (string)final["tool_calls"]![0]!["function"]!["arguments"]!));
    }

    [Fact]
    public void Of_OpenAI_complete_and_embed()
    {
        Assert.Equal("world", (string?)Must("openai", "completions.create", null, """{"model":"tiny","prompt":"Hello"}""")!["choices"]![0]!["text"]);
        // The client asks for base64 and makes numbers of it.
        Assert.Equal([1f, -0.5f], Must("openai", "embeddings.create", null, """{"model":"tiny","input":"Hi"}""")!["data"]![0]!["embedding"]!.AsArray().Select(n => (float)n!));
    }

    [Fact]
    public void Of_OpenAI_make_find_list_and_delete_responses()
    {
        var made = Must("openai", "responses.create", null, """{"model":"tiny","input":"Hi"}""")!;
        Assert.Equal("Hello.", (string?)made["output_text"]);
        var id = made["id"]!.ToJsonString();
        Assert.Equal("Hello.", (string?)Must("openai", "responses.retrieve", null, id)!["output_text"]);
        var item = Assert.Single(Must("openai", "responses.inputItems.list", "list", id)!.AsArray())!;
        Assert.Equal("Hi", (string?)item["content"]![0]!["text"]);
        var next = Must("openai", "responses.create", null, $$"""{"model":"tiny","input":"More","previous_response_id":{{id}}}""")!;
        Assert.Equal(made["id"]!.ToString(), (string?)next["previous_response_id"]);
        Must("openai", "responses.delete", null, id);
        Assert.Equal(("NotFoundError", 404), Refused("openai", "responses.retrieve", id));
        Assert.Equal(("BadRequestError", 400), Refused("openai", "responses.cancel", next["id"]!.ToJsonString()));
    }

    [Fact]
    public void Of_OpenAI_assemble_a_streamed_response()
    {
        var events = Must("openai", "responses.create", "stream", """{"model":"tiny","input":"Hi","stream":true}""")!.AsArray();
        Assert.Equal(Enumerable.Range(0, events.Count), events.Select(e => (int)e!["sequence_number"]!));
        var final = Must("openai", "responses.stream", "finalResponse", """{"model":"tiny","input":"Hi"}""")!;
        Assert.Equal(("completed", "Hello å😀", """{"a":1}"""), ((string)final["status"]!, (string)final["output"]![0]!["content"]![0]!["text"]!, (string)final["output"]![1]!["arguments"]!));
    }

    [Fact]
    public void Of_Anthropic_get_messages_whole_and_streamed()
    {
        const string Body = """{"model":"tiny","max_tokens":50,"messages":[{"role":"user","content":"Hi"}]}""";
        var whole = Must("anthropic", "messages.create", null, Body)!;
        Assert.Equal(("Hello.", "end_turn", 7), ((string)whole["content"]![0]!["text"]!, (string)whole["stop_reason"]!, (int)whole["usage"]!["input_tokens"]!));
        var final = Must("anthropic", "messages.stream", "finalMessage", Body)!;
        Assert.Equal(("Hello å😀", 1, "tool_use", 7, 5), ((string)final["content"]![0]!["text"]!, (int)final["content"]![1]!["input"]!["a"]!, (string)final["stop_reason"]!,
            (int)final["usage"]!["input_tokens"]!, (int)final["usage"]!["output_tokens"]!));
    }

    [Theory]
    [InlineData("openai", "chat.completions.create", """{"model":"MODEL","messages":[{"role":"user","content":"Hi"}]}""", "n", "-1")]
    [InlineData("openai", "responses.create", """{"model":"MODEL","input":"Hi"}""", "background", "true")]
    [InlineData("anthropic", "messages.create", """{"model":"MODEL","max_tokens":5,"messages":[{"role":"user","content":"Hi"}]}""", "stream", "7")]
    public void Throw_typed_errors(string sdk, string method, string body, string wrong, string value)
    {
        Assert.Equal(("NotFoundError", 404), Refused(sdk, method, body.Replace("MODEL", "none", StringComparison.Ordinal)));
        body = body.Replace("MODEL", "tiny", StringComparison.Ordinal);
        Assert.Equal(("BadRequestError", 400), Refused(sdk, method, body[..^1] + $",\"{wrong}\":{value}}}"));
        Assert.Equal(("AuthenticationError", 401), Refused(sdk, method, body, key: "ck_wrong"));
        _host.Limits = new KeyLimits { RequestsPerMinute = 0 };
        _host.Push();
        Assert.Equal(("RateLimitError", 429), Refused(sdk, method, body));
    }

    [Theory]
    [InlineData("openai", "chat.completions.create", """{"model":"tiny","stream":true,"messages":[{"role":"user","content":"Hi"}]}""")]
    [InlineData("openai", "responses.create", """{"model":"tiny","stream":true,"input":"Hi"}""")]
    [InlineData("anthropic", "messages.create", """{"model":"tiny","stream":true,"max_tokens":5,"messages":[{"role":"user","content":"Hi"}]}""")]
    public async Task Leave_in_the_middle_and_free_what_they_had(string sdk, string method, string body)
    {
        var never = new TaskCompletionSource();
        _replica.Answering = context => FakeReplica.Stream(context, [(s_stream[1], Task.CompletedTask), (s_stream[2], never.Task)]);
        Assert.NotNull(Must(sdk, method, "abort", body));
        while (Volatile.Read(ref _replica.Running) > 0 || _host.Account.Parallel > 0)
            await Task.Delay(5, TestContext.Current.CancellationToken);
        Assert.Equal(0, _host.Account.Reserved.Micros);
    }

    private static Task AnswerAsync(HttpContext context)
    {
        context.Response.ContentType = "application/json";
        var asked = context.Request.Path.Value!;
        if (asked == "/v1/completions")
            return context.Response.WriteAsync("""{"id":"c","object":"text_completion","choices":[{"index":0,"text":"world","finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1} }""");
        if (asked == "/v1/embeddings")
        {
            var base64 = Convert.ToBase64String([.. BitConverter.GetBytes(1f), .. BitConverter.GetBytes(-0.5f)]);
            return context.Response.WriteAsync($$"""{"object":"list","data":[{"object":"embedding","index":0,"embedding":"{{base64}}"}],"usage":{"prompt_tokens":1,"total_tokens":1} }""");
        }
        return context.Items["body"] is string body && (bool?)JsonNode.Parse(body)!["stream"] == true ? Streams.Chat(s_stream)(context) : FakeReplica.Chat(context, "Hello.", 7, 2);
    }

    private JsonNode? Must(string sdk, string method, string? mode, params string[] args)
    {
        var answer = Ask(sdk, method, mode, _host.Key.ToString(), args);
        Assert.True(answer["error"] is null, answer.ToJsonString());
        return answer["value"];
    }

    private (string Kind, int Status) Refused(string sdk, string method, string body, string? key = null)
    {
        var error = Ask(sdk, method, null, key ?? _host.Key.ToString(), [body])["error"];
        Assert.NotNull(error);
        return ((string)error["kind"]!, (int)error["status"]!);
    }

    private JsonNode Ask(string sdk, string method, string? mode, string key, string[] args) => Oracle.Clients.AskWhole(new JsonObject
    {
        ["sdk"] = sdk, ["apiKey"] = key, ["baseURL"] = _host.Client.BaseAddress!.ToString().TrimEnd('/'), ["method"] = method, ["mode"] = mode,
        ["args"] = new JsonArray([.. args.Select(a => JsonNode.Parse(a))]),
    });
}
