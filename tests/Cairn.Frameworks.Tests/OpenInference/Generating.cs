using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Cairn.Frameworks.Tests.OpenAi;

namespace Cairn.Frameworks.Tests.OpenInference;

/// <summary>Triton's generate extension over a real tiny model.</summary>
public sealed class Generating(ServedTinyModel tiny) : IClassFixture<ServedTinyModel>
{
    private const string Ask = """{"text_input":"client input","parameters":{"temperature":0,"max_tokens":12,"ignore_eos":true}}""";

    [Fact]
    public async Task A_stream_says_what_the_whole_answer_says()
    {
        var (status, whole) = await PostAsync("/v2/models/tiny/generate", Ask);
        var (_, stream) = await PostAsync("/v2/models/tiny/versions/1/generate_stream", Ask);

        Assert.Equal(HttpStatusCode.OK, status);
        var answer = JsonNode.Parse(whole)!;
        Assert.Equal(("tiny", "1"), ((string)answer["model_name"]!, (string)answer["model_version"]!));
        var events = stream.Split("\n\n", StringSplitOptions.RemoveEmptyEntries);
        Assert.All(events, text => Assert.StartsWith("data: {", text));
        Assert.True(events.Length > 1, "a stream comes in pieces");
        Assert.Equal((string)answer["text_output"]!, string.Concat(events.Select(text => (string)JsonNode.Parse(text[6..])!["text_output"]!)));
    }

    [Fact]
    public async Task Parameters_may_stand_beside_the_text()
    {
        var (_, nested) = await PostAsync("/v2/models/tiny/generate", Ask);
        var (_, beside) = await PostAsync("/v2/models/tiny/generate", """{"text_input":"client input","temperature":0,"max_tokens":12,"ignore_eos":true}""");

        Assert.Equal(nested, beside);
    }

    [Theory]
    [InlineData("tiny", """{"parameters":{}}""", HttpStatusCode.BadRequest, "text_input")]
    [InlineData("tiny", """{"text_input":"a","max_tokens":0}""", HttpStatusCode.BadRequest, "max_tokens")]
    [InlineData("tiny", """{"text_input":"a","temperature":"hot"}""", HttpStatusCode.BadRequest, "temperature")]
    [InlineData("tiny", """{"text_input":"a","top_p":7}""", HttpStatusCode.BadRequest, "top_p")]
    [InlineData("none", """{"text_input":"a"}""", HttpStatusCode.NotFound, "'none'")]
    public async Task What_is_wrong_is_told(string model, string body, HttpStatusCode expected, string message)
    {
        var (status, answer) = await PostAsync($"/v2/models/{model}/generate", body);

        Assert.Equal(expected, status);
        Assert.Contains(message, (string)JsonNode.Parse(answer)!["error"]!);
    }

    [Fact]
    public async Task A_language_model_is_told_as_text_in_and_text_out()
    {
        using var client = new HttpClient { BaseAddress = new Uri(tiny.Address) };

        var model = JsonNode.Parse(await client.GetStringAsync("/v2/models/tiny", TestContext.Current.CancellationToken))!;
        var names = await client.GetStringAsync("/v2/models", TestContext.Current.CancellationToken);

        Assert.Equal("text_input", (string)model["inputs"]![0]!["name"]!);
        Assert.Contains("\"tiny\"", names);
    }

    private async Task<(HttpStatusCode Status, string Body)> PostAsync(string path, string json)
    {
        using var client = new HttpClient { BaseAddress = new Uri(tiny.Address) };
        using var response = await client.PostAsync(path, new StringContent(json, Encoding.UTF8, "application/json"), TestContext.Current.CancellationToken);
        return (response.StatusCode, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }
}
