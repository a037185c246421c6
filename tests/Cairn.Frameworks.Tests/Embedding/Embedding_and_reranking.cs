using System.Net;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json.Nodes;
using Cairn.Frameworks.Engine;
using Cairn.Frameworks.Engine.Embedding;
using Cairn.Frameworks.Engine.Hosting;
using Cairn.Frameworks.Tests.OpenAi;

namespace Cairn.Frameworks.Tests.Embedding;

public sealed class Embedding_and_reranking
{
    private readonly TinyEncoder _encoder = new();

    [Theory]
    [InlineData(null, "Mean")]
    [InlineData("pooling_mode_mean_tokens", "Mean")]
    [InlineData("pooling_mode_cls_token", "Cls")]
    [InlineData("pooling_mode_lasttoken", "Last")]
    [InlineData("pooling_mode_max_tokens", "Max")]
    public async Task Vectors_are_pooled_as_the_folder_says_and_padding_does_not_count(string? pooling, string mode)
    {
        using var folder = new TemporaryFolder();
        _encoder.Write(folder.Path, pooling: pooling);
        await using var host = await EngineHosts.StartAsync(new ModelSource("tiny", folder.Path, new EngineOptions { Threads = 1 }));
        await host.Ready;
        string[] texts = ["The cat sat", "dogs", string.Join(' ', Enumerable.Repeat("cat ran home", 6))];

        var (status, body) = await PostAsync(host, "/v1/embeddings", new JsonObject { ["model"] = "tiny", ["input"] = new JsonArray([.. texts.Select(text => (JsonNode)text)]) });

        Assert.True(status == HttpStatusCode.OK, body.ToJsonString());
        for (var i = 0; i < texts.Length; i++)
            Close(Expected(texts[i].ToLowerInvariant(), Enum.Parse<PoolingMode>(mode)), Floats(body["data"]![i]!["embedding"]!));
        Assert.Equal(texts.Sum(text => TinyEncoder.Ids(text.ToLowerInvariant()).Length), (int)body["usage"]!["prompt_tokens"]!);
    }

    [Fact]
    public async Task Base64_fewer_dimensions_and_tokens_are_answered()
    {
        using var folder = new TemporaryFolder();
        _encoder.Write(folder.Path);
        await using var host = await EngineHosts.StartAsync(new ModelSource("tiny", folder.Path, new EngineOptions { Threads = 1 }));
        await host.Ready;
        var expected = Expected("the cat sat", PoolingMode.Mean);

        var (_, whole) = await PostAsync(host, "/v1/embeddings", new JsonObject { ["model"] = "tiny", ["input"] = "the cat sat", ["encoding_format"] = "base64" });
        var (_, cut) = await PostAsync(host, "/v1/embeddings", new JsonObject { ["model"] = "tiny", ["input"] = "the cat sat", ["dimensions"] = 4 });
        var (_, tokens) = await PostAsync(host, "/v1/embeddings", new JsonObject { ["model"] = "tiny", ["input"] = new JsonArray(2, 4, 5, 6, 3) });
        var (wrong, _) = await PostAsync(host, "/v1/embeddings", new JsonObject { ["model"] = "tiny", ["input"] = new JsonArray(2, 99) });

        Close(expected, MemoryMarshal.Cast<byte, float>(Convert.FromBase64String((string)whole["data"]![0]!["embedding"]!)).ToArray());
        var length = MathF.Sqrt(expected.Take(4).Sum(value => value * value));
        Close([.. expected.Take(4).Select(value => value / length)], Floats(cut["data"]![0]!["embedding"]!));
        Close(expected, Floats(tokens["data"]![0]!["embedding"]!));
        Assert.Equal(HttpStatusCode.BadRequest, wrong);
    }

    [Fact]
    public async Task A_long_text_is_cut_to_what_the_model_reads()
    {
        using var folder = new TemporaryFolder();
        _encoder.Write(folder.Path, length: 10, modules: "");
        await using var host = await EngineHosts.StartAsync(new ModelSource("tiny", folder.Path, new EngineOptions { Threads = 1 }));
        await host.Ready;

        var (_, body) = await PostAsync(host, "/v1/embeddings", new JsonObject { ["model"] = "tiny", ["input"] = string.Join(' ', Enumerable.Repeat("cat", 50)) });

        Close(Expected(string.Join(' ', Enumerable.Repeat("cat", 8)), PoolingMode.Mean), Floats(body["data"]![0]!["embedding"]!));
        Assert.Equal(10, (int)body["usage"]!["prompt_tokens"]!);
    }

    [Fact]
    public async Task Documents_come_back_by_relevance()
    {
        using var folder = new TemporaryFolder();
        _encoder.Write(folder.Path, architecture: "BertForSequenceClassification", modules: "");
        await using var host = await EngineHosts.StartAsync(new ModelSource("ranker", folder.Path, new EngineOptions { Threads = 1 }));
        await host.Ready;
        string[] documents = ["the dog ran home", "cats", "the cat sat", "home home home"];
        var scores = documents.Select(document =>
        {
            int[] first = [2, .. TinyEncoder.Pieces("the cat"), 3];
            int[] second = [.. TinyEncoder.Pieces(document), 3];
            return _encoder.Score([.. first, .. second], [.. first.Select(_ => 0), .. second.Select(_ => 1)]);
        }).ToArray();

        var (status, body) = await PostAsync(host, "/v1/rerank", new JsonObject
        {
            ["model"] = "ranker", ["query"] = "the cat", ["top_n"] = 3, ["return_documents"] = true,
            ["documents"] = new JsonArray(documents[0], documents[1], new JsonObject { ["text"] = documents[2] }, documents[3]),
        });
        var (empty, _) = await PostAsync(host, "/v1/rerank", new JsonObject { ["model"] = "ranker", ["query"] = "the cat", ["documents"] = new JsonArray() });
        var (embeds, _) = await PostAsync(host, "/v1/embeddings", new JsonObject { ["model"] = "ranker", ["input"] = "the cat" });

        Assert.True(status == HttpStatusCode.OK, body.ToJsonString());
        var results = body["results"]!.AsArray();
        Assert.Equal(Enumerable.Range(0, 4).OrderByDescending(i => scores[i]).Take(3), results.Select(result => (int)result!["index"]!));
        foreach (var result in results)
        {
            Assert.Equal(scores[(int)result!["index"]!], (float)result["relevance_score"]!, 1e-5f);
            Assert.Equal(documents[(int)result["index"]!], (string)result["document"]!["text"]!);
        }

        Assert.Equal(HttpStatusCode.BadRequest, empty);
        Assert.Equal(HttpStatusCode.BadRequest, embeds);
    }

    [Fact]
    public void Padding_stays_below_a_fourth()
    {
        for (var tokens = 64; tokens <= 8192; tokens++)
            Assert.InRange(TextEncoder.PaddedLength(tokens), tokens, tokens * 1.25);
    }

    private float[] Expected(string text, PoolingMode mode)
    {
        var ids = TinyEncoder.Ids(text);
        var hidden = _encoder.Hidden(ids, new int[ids.Length]);
        float[] pooled = mode switch
        {
            PoolingMode.Cls => hidden[0],
            PoolingMode.Last => hidden[^1],
            PoolingMode.Max => [.. Enumerable.Range(0, TinyEncoder.Dimensions).Select(d => hidden.Max(row => row[d]))],
            _ => [.. Enumerable.Range(0, TinyEncoder.Dimensions).Select(d => hidden.Average(row => row[d]))],
        };
        var length = MathF.Sqrt(pooled.Sum(value => value * value));
        return [.. pooled.Select(value => value / length)];
    }

    private static float[] Floats(JsonNode array) => [.. array.AsArray().Select(value => (float)value!)];

    private static void Close(float[] expected, float[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < expected.Length; i++)
            Assert.Equal(expected[i], actual[i], 1e-5f);
    }

    private static async Task<(HttpStatusCode Status, JsonNode Body)> PostAsync(EngineHost host, string path, JsonObject json)
    {
        using var client = new HttpClient { BaseAddress = new Uri(host.HttpAddress) };
        using var response = await client.PostAsync(
            path, new StringContent(json.ToJsonString(), Encoding.UTF8, "application/json"), TestContext.Current.CancellationToken);
        return (response.StatusCode, JsonNode.Parse(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))!);
    }
}
