using System.Text.Json.Nodes;

namespace Cairn.Frameworks.Tests.OpenAi;

/// <summary>The official npm client against a real host with a real model.</summary>
[Trait("speed", "slow")]
public sealed class Official_client(ServedTinyModel served) : IClassFixture<ServedTinyModel>
{
    private readonly ClientCalls _client = new(served);

    [Fact]
    public void It_lists_and_finds_models()
    {
        var all = _client.Must("models.list", null, "list").AsArray();
        Assert.Equal(["letters", "tiny"], all.Select(model => (string)model!["id"]!));
        Assert.All(all, model => Assert.Equal("model", (string)model!["object"]!));
        Assert.Equal("tiny", (string)_client.Must("models.retrieve", JsonValue.Create("tiny"))["id"]!);

        var error = _client.Refused("models.retrieve", JsonValue.Create("org/none"));
        Assert.Equal(("NotFoundError", 404, "model_not_found", "model"), error.Facts);
        Assert.Contains("org/none", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Vectors_come_as_numbers_whatever_the_encoding()
    {
        var request = new JsonObject { ["model"] = "letters", ["input"] = new JsonArray("aab", "c") };
        var answer = _client.Must("embeddings.create", request);
        Assert.Equal([[0f, 0.5f, 0.25f], [0.25f, 0, 0]],
            answer["data"]!.AsArray().Select(item => item!["embedding"]!.AsArray().Select(number => (float)number!)));
        Assert.Equal((4, 4), ((int)answer["usage"]!["prompt_tokens"]!, (int)answer["usage"]!["total_tokens"]!));

        request["encoding_format"] = "float";
        Assert.Equal(answer["data"]!.ToJsonString(), _client.Must("embeddings.create", request)["data"]!.ToJsonString());
        request["dimensions"] = 4;
        Assert.Equal(("BadRequestError", 400, null, "dimensions"), _client.Refused("embeddings.create", request).Facts);
    }

    [Fact]
    public void Plain_completions_continue_texts_and_tokens()
    {
        var request = new JsonObject { ["model"] = "tiny", ["prompt"] = new JsonArray("ab", "ab"), ["max_tokens"] = 6, ["temperature"] = 0,
            ["echo"] = true };
        var texts = _client.Must("completions.create", request)["choices"]!.AsArray().Select(choice => (string)choice!["text"]!).ToList();
        Assert.Equal(2, texts.Count);
        Assert.StartsWith("ab", texts[0], StringComparison.Ordinal);
        Assert.Equal(texts[0], texts[1]);

        request["prompt"] = new JsonArray((int)'a', (int)'b');
        request["logprobs"] = 2;
        request["echo"] = false;
        request["best_of"] = 2;
        var answer = _client.Must("completions.create", request);
        Assert.Equal(texts[0], "ab" + (string)answer["choices"]![0]!["text"]!);
        var logprobs = answer["choices"]![0]!["logprobs"]!;
        Assert.Equal([6, 6, 6, 6],
            new[] { "tokens", "token_logprobs", "top_logprobs", "text_offset" }.Select(name => logprobs[name]!.AsArray().Count));
        Assert.Equal((2, 12), ((int)answer["usage"]!["prompt_tokens"]!, (int)answer["usage"]!["completion_tokens"]!));

        request.Remove("best_of");
        var streamed = _client.Must("completions.create", request, "stream").AsArray();
        Assert.Equal(texts[0], "ab" + string.Concat(streamed.Select(chunk => (string)chunk!["choices"]![0]!["text"]!)));
    }
}
