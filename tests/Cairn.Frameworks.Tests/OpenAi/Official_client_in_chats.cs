using System.Text.Json.Nodes;

namespace Cairn.Frameworks.Tests.OpenAi;

/// <summary>The official npm client chats with a real host and a real model.</summary>
[Trait("speed", "slow")]
public sealed class Official_client_in_chats(ServedTinyModel served) : IClassFixture<ServedTinyModel>
{
    private const string Chat = "chat.completions.create";
    private readonly ClientCalls _client = new(served);

    [Fact]
    public void It_chats()
    {
        var answer = _client.Must(Chat, Hello(new() { ["max_tokens"] = 12 }));

        Assert.StartsWith("chatcmpl-", (string)answer["id"]!, StringComparison.Ordinal);
        Assert.Equal(("chat.completion", "tiny"), ((string)answer["object"]!, (string)answer["model"]!));
        var choice = answer["choices"]!.AsArray().Single()!;
        Assert.Equal(("assistant", "length"), ((string)choice["message"]!["role"]!, (string)choice["finish_reason"]!));
        Assert.NotEmpty((string)choice["message"]!["content"]!);
        var usage = answer["usage"]!;
        Assert.Equal(12, (int)usage["completion_tokens"]!);
        Assert.Equal((int)usage["prompt_tokens"]! + 12, (int)usage["total_tokens"]!);
    }

    [Fact]
    public void A_stream_says_what_the_whole_answer_says()
    {
        var whole = (string)_client.Must(Chat, Hello(new() { ["max_tokens"] = 40 }))["choices"]![0]!["message"]!["content"]!;

        var chunks = _client.Must(Chat,
            Hello(new() { ["max_tokens"] = 40, ["stream_options"] = new JsonObject { ["include_usage"] = true } }), "stream").AsArray();
        var assembled = _client.Must(Chat, Hello(new() { ["max_tokens"] = 40 }), "helper");

        Assert.Equal(whole, string.Concat(
            chunks.SelectMany(chunk => chunk!["choices"]!.AsArray()).Select(choice => (string?)choice!["delta"]!["content"])));
        Assert.Equal(40, (int)chunks[^1]!["usage"]!["completion_tokens"]!);
        Assert.Equal(whole, (string)assembled["choices"]![0]!["message"]!["content"]!);
        Assert.Equal("length", (string)assembled["choices"]![0]!["finish_reason"]!);
    }

    [Fact]
    public void Choices_with_one_seed_differ_from_each_other_and_are_the_same_again()
    {
        var request = Hello(new() { ["max_tokens"] = 20, ["n"] = 2, ["seed"] = 7, ["temperature"] = 1 });
        var first = Contents(_client.Must(Chat, request));

        Assert.Equal(2, first.Count);
        Assert.NotEqual(first[0], first[1]);
        Assert.Equal(first, Contents(_client.Must(Chat, request)));
        var assembled = _client.Must(Chat, request, "helper");
        Assert.Equal(first, Contents(assembled));
    }

    [Fact]
    public void Log_probabilities_come_with_every_token_and_the_likeliest_first()
    {
        var request = Hello(new() { ["max_tokens"] = 8, ["logprobs"] = true, ["top_logprobs"] = 3 });
        var tokens = _client.Must(Chat, request)["choices"]![0]!["logprobs"]!["content"]!.AsArray();

        Assert.Equal(8, tokens.Count);
        foreach (var token in tokens)
        {
            var top = token!["top_logprobs"]!.AsArray().Select(other => (double)other!["logprob"]!).ToList();
            Assert.Equal(3, top.Count);
            Assert.Equal(top.OrderDescending(), top);
            Assert.Equal((double)token["logprob"]!, top[0]);
            Assert.True((double)token["logprob"]! < 0);
            Assert.NotEmpty(token["bytes"]!.AsArray());
        }

        var streamed = _client.Must(Chat, request, "stream").AsArray().SelectMany(chunk => chunk!["choices"]!.AsArray())
            .SelectMany(choice => choice!["logprobs"]?["content"]?.AsArray() ?? []);
        Assert.Equal(tokens.Select(token => token!.ToJsonString()), streamed.Select(token => token!.ToJsonString()));
    }

    [Fact]
    public void Output_keeps_to_a_json_schema()
    {
        var schema = new JsonObject
        {
            ["type"] = "object",
            ["properties"] = new JsonObject { ["colour"] = new JsonObject { ["enum"] = new JsonArray("red", "green") },
                ["dark"] = new JsonObject { ["type"] = "boolean" } },
            ["required"] = new JsonArray("colour", "dark"),
            ["additionalProperties"] = false,
        };
        var request = Hello(new() { ["max_tokens"] = 100, ["temperature"] = 1, ["seed"] = 3 });
        request["response_format"] = new JsonObject { ["type"] = "json_schema",
            ["json_schema"] = new JsonObject { ["name"] = "paint", ["strict"] = true, ["schema"] = schema } };

        var choice = _client.Must(Chat, request)["choices"]![0]!;

        Assert.Equal("stop", (string)choice["finish_reason"]!);
        var paint = JsonNode.Parse((string)choice["message"]!["content"]!)!.AsObject();
        Assert.Equal(["colour", "dark"], paint.Select(property => property.Key));
        Assert.Contains((string)paint["colour"]!, new[] { "red", "green" });
        _ = (bool)paint["dark"]!;
    }

    [Fact]
    public void Refusals_are_the_clients_own_exceptions()
    {
        var unknown = Hello([]);
        unknown["model"] = "none";
        Assert.Equal(("NotFoundError", 404, "model_not_found", "model"), _client.Refused(Chat, unknown).Facts);
        Assert.Equal(("BadRequestError", 400, null, "temperature"), _client.Refused(Chat, Hello(new() { ["temperature"] = -1 })).Facts);
        var tooLong = Hello([]);
        tooLong["messages"]![0]!["content"] = new string('x', 2000);
        Assert.Equal(("BadRequestError", 400, "context_length_exceeded", "messages"), _client.Refused(Chat, tooLong).Facts);
        Assert.Equal(("BadRequestError", 400, "model_not_supported", "model"),
            _client.Refused(Chat, new JsonObject { ["model"] = "letters", ["messages"] = Hello([])["messages"]!.DeepClone() }).Facts);
        Assert.NotNull(_client.Refused(Chat, Hello(new() { ["n"] = 0 })).RequestId);
    }

    [Fact]
    public async Task A_client_that_leaves_frees_its_row()
    {
        var chunks = _client.Ask(Chat, Hello(new() { ["max_tokens"] = 200, ["ignore_eos"] = true }), "stream", abortAfter: 3);
        Assert.Null(chunks["error"]);

        await Wait.UntilAsync(() => served.Model.Statistics is { Running: 0, Waiting: 0 });
    }

    [Fact]
    public void A_required_call_is_a_call_with_arguments_that_keep_to_the_schema()
    {
        var request = Hello(new() { ["max_tokens"] = 200, ["temperature"] = 1, ["seed"] = 5, ["tools"] = Weather(),
            ["tool_choice"] = "required", ["parallel_tool_calls"] = false });

        var choice = _client.Must(Chat, request)["choices"]![0]!;

        Assert.Equal("tool_calls", (string)choice["finish_reason"]!);
        Assert.Null(choice["message"]!["content"]);
        var call = Assert.Single(choice["message"]!["tool_calls"]!.AsArray())!;
        Assert.StartsWith("call_", (string)call["id"]!, StringComparison.Ordinal);
        Assert.Equal(("function", "weather"), ((string)call["type"]!, (string)call["function"]!["name"]!));
        var arguments = JsonNode.Parse((string)call["function"]!["arguments"]!)!;
        Assert.Contains((string)arguments["city"]!, new[] { "Berlin", "Paris" });

        // The client assembles a stream only where every call has index, id, type and name.
        var streamed = _client.Must(Chat, request, "helper")["choices"]![0]!;
        Assert.Equal((string)call["function"]!["arguments"]!, (string)streamed["message"]!["tool_calls"]![0]!["function"]!["arguments"]!);
        Assert.Equal("tool_calls", (string)streamed["finish_reason"]!);
    }

    [Fact]
    public void Earlier_calls_and_their_results_are_part_of_the_conversation()
    {
        var request = Hello(new() { ["max_tokens"] = 4, ["tools"] = Weather() });
        request["messages"]!.AsArray().Add(new JsonObject
        {
            ["role"] = "assistant", ["content"] = "",
            ["tool_calls"] = new JsonArray(new JsonObject { ["id"] = "call_1", ["type"] = "function",
                ["function"] = new JsonObject { ["name"] = "weather", ["arguments"] = "{}" } }),
        });
        request["messages"]!.AsArray().Add(new JsonObject { ["role"] = "tool", ["tool_call_id"] = "call_1", ["content"] = "rain" });

        Assert.Equal(4, (int)_client.Must(Chat, request)["usage"]!["completion_tokens"]!);
    }

    private static JsonArray Weather() => new(JsonNode.Parse(
        """
        {"type":"function","function":{"name":"weather","strict":true,"parameters":{"type":"object","properties":{"city":{"enum":["Berlin","Paris"]}},
         "required":["city"],"additionalProperties":false}}}
        """));

    private static JsonObject Hello(JsonObject fields)
    {
        var request = new JsonObject
        {
            ["model"] = "tiny", ["temperature"] = 0,
                ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = "Hello" }),
        };
        foreach (var (name, value) in fields)
            request[name] = value?.DeepClone();
        return request;
    }

    private static List<string> Contents(JsonNode answer) =>
        [.. answer["choices"]!.AsArray().OrderBy(choice => (int)choice!["index"]!).Select(choice =>
            (string)choice!["message"]!["content"]!)];
}
