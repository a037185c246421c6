using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Cairn.Frameworks.Engine;
using Cairn.Frameworks.Engine.Hosting;
using Cairn.Frameworks.Onnx.Decoders;

namespace Cairn.Frameworks.Tests.OpenAi;

/// <summary>What no official client sends, and what operators ask, over HTTP against a real model.</summary>
public sealed class Live_engine(ServedTinyModel served) : IClassFixture<ServedTinyModel>
{
    private readonly HttpClient _http = new() { BaseAddress = new Uri(served.Address) };

    [Theory]
    [InlineData("{\"prompt\":\"\xff\"}", 400, "invalid_json", null)]
    [InlineData("{\"prompt\":[]}", 400, null, "prompt")]
    [InlineData("{\"prompt\":\"\"}", 400, null, "prompt")]
    [InlineData("{\"prompt\":[1,260]}", 400, null, "prompt[1]")]
    [InlineData("{\"prompt\":[99999999999]}", 400, "invalid_type", "prompt[0]")]
    [InlineData("{\"prompt\":\"a\",\"logit_bias\":{\"260\":1}}", 400, null, "logit_bias")]
    [InlineData("{\"prompt\":\"a\",\"model\":\"none\"}", 404, "model_not_found", "model")]
    [InlineData("{\"prompt\":\"a\",\"guided_regex\":\"(\"}", 400, "invalid_schema", "guided_regex")]
    [InlineData("{\"prompt\":\"a\",\"guided_json\":{\"$ref\":\"#\"}}", 400, "invalid_schema", "guided_json")]
    [InlineData("not json", 400, "invalid_json", null)]
    public async Task A_bad_completion_gets_a_typed_error(string body, int status, string? code, string? param)
    {
        // Latin-1 keeps each character one byte, so that a test can send bytes that are no UTF-8.
        using var answer = await PostAsync("/v1/completions", Encoding.Latin1.GetBytes(body));

        var error = await ErrorAsync(answer);
        Assert.Equal((status, code, param), ((int)answer.StatusCode, (string?)error["code"], (string?)error["param"]));
        Assert.Equal("invalid_request_error", (string?)error["type"]);
        Assert.NotEmpty((string)error["message"]!);
    }

    [Fact]
    public async Task A_body_beyond_the_bound_is_refused_by_its_length_alone()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post,
            "/v1/completions") { Content = new ByteArrayContent(new byte[17 << 20]) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        request.Headers.ExpectContinue = true;
        using var answer = await _http.SendAsync(request);

        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, answer.StatusCode);
        Assert.Equal("body_too_long", (string?)(await ErrorAsync(answer))["code"]);
    }

    [Fact]
    public async Task Other_content_types_routes_and_methods_are_refused_in_the_same_form()
    {
        using var text = await _http.PostAsync("/v1/completions", new StringContent("{}", Encoding.UTF8, "text/plain"));
        using var nowhere = await _http.GetAsync("/v1/nowhere");
        using var method = await _http.GetAsync("/v1/chat/completions");

        Assert.Equal((HttpStatusCode.UnsupportedMediaType, "content_type"), (text.StatusCode, (string?)(await ErrorAsync(text))["code"]));
        Assert.Equal((HttpStatusCode.NotFound, "unknown_url"), (nowhere.StatusCode, (string?)(await ErrorAsync(nowhere))["code"]));
        Assert.Equal((HttpStatusCode.MethodNotAllowed, "unknown_url"), (method.StatusCode, (string?)(await ErrorAsync(method))["code"]));
    }

    [Fact]
    public async Task Every_answer_has_an_id_and_the_time_it_took()
    {
        using var own = await _http.GetAsync("/v1/models");
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/models/none") { Headers = { { "x-request-id", "mine-1" } } };
        using var given = await _http.SendAsync(request);

        Assert.StartsWith("req_", own.Headers.GetValues("x-request-id").Single(), StringComparison.Ordinal);
        Assert.Equal("mine-1", given.Headers.GetValues("x-request-id").Single());
        Assert.True(int.Parse(own.Headers.GetValues("openai-processing-ms").Single(), CultureInfo.InvariantCulture) >= 0);
    }

    [Fact]
    public async Task Text_becomes_tokens_and_tokens_become_text()
    {
        var tokens = JsonNode.Parse(await (await PostAsync("/tokenize", """{"model":"tiny","prompt":"Grüße","return_token_strs":true}"""u8.ToArray())).Content.ReadAsStringAsync())!;
        Assert.Equal(7, (int)tokens["count"]!);
        Assert.Equal(1024, (int)tokens["max_model_len"]!);
        Assert.Equal(@"bytes:\xc3", (string)tokens["token_strs"]![2]!);

        using var back = await PostAsync("/detokenize", Encoding.UTF8.GetBytes($$"""{"tokens":{{tokens["tokens"]!.ToJsonString()}}}"""));
        Assert.Equal("""{"prompt":"Grüße"}""", await back.Content.ReadAsStringAsync());
        using var unknown = await PostAsync("/detokenize", """{"tokens":[260]}"""u8.ToArray());
        Assert.Equal("tokens[0]", (string?)(await ErrorAsync(unknown))["param"]);
    }

    [Fact]
    public async Task Metrics_have_vllms_names_and_count_what_was_done()
    {
        using var answer = await PostAsync("/v1/completions", """{"prompt":"abc","max_tokens":5,"ignore_eos":true}"""u8.ToArray());
        answer.EnsureSuccessStatusCode();
        var text = await _http.GetStringAsync("/metrics");

        const string Labels = "{model_name=\"tiny\",engine=\"0\"";
        Assert.True(Value(text, $"vllm:generation_tokens_total{Labels}}}") >= 5);
        Assert.True(Value(text, $"vllm:prompt_tokens_total{Labels}}}") >= 3);
        Assert.True(Value(text, $"vllm:request_success_total{Labels},finished_reason=\"length\"}}") >= 1);
        Assert.True(Value(text, $"vllm:time_to_first_token_seconds_count{Labels}}}") >= 1);
        Assert.True(Value(text, $"vllm:inter_token_latency_seconds_count{Labels}}}") >= 4);
        Assert.Equal(Value(text, $"vllm:e2e_request_latency_seconds_count{Labels}}}"),
            Value(text, $"vllm:e2e_request_latency_seconds_bucket{Labels},le=\"+Inf\"}}"));
        foreach (var name in new[] { "num_requests_running", "num_requests_waiting", "kv_cache_usage_perc", "prefix_cache_queries_total",
            "prefix_cache_hits_total", "num_preemptions_total" })
            Assert.True(Value(text, $"vllm:{name}{Labels}}}") >= 0);
        Assert.True(Value(text, $"vllm:time_to_first_token_seconds_bucket{Labels},le=\"0.001\"}}") >= 0);
    }

    [Fact]
    public async Task A_models_facts_are_read_from_its_graph()
    {
        // 2 layers, keys and values, 2 heads of 16 numbers of 4 bytes for 1,024 tokens in each of 4 rows.
        Assert.Equal(new ModelFacts("fp32", true, 4, 2 * 2 * 2 * 16 * 4 * 1024 * 4), served.Model.Facts);
        using var folder = new TemporaryFolder();
        DecoderFolder.Write(folder.Path, DecoderShape.Tiny, DecoderLayout.Community, DecoderPrecision.Int4);
        await using var quantized = LanguageModel.Load(folder.Path, new EngineOptions { Rows = 1, Threads = 1 }, TimeProvider.System);
        Assert.Equal(("int4", false), (quantized.Facts.Precision, quantized.Facts.CacheInPlace));
    }

    [Fact]
    public async Task Health_makes_a_token()
    {
        var before = served.Model.Statistics.GeneratedTokens;

        Assert.Equal("""{"status":"ok"}""", await _http.GetStringAsync("/health"));

        Assert.True(served.Model.Statistics.GeneratedTokens > before);
    }

    [Fact]
    public async Task A_full_queue_refuses_and_says_when_to_ask_again_and_health_stays_well()
    {
        using var folder = new TemporaryFolder();
        DecoderFolder.Write(folder.Path, DecoderShape.Tiny with { Context = 65_536 });
        await using var host = await EngineHosts.StartAsync(new ModelSource("busy", folder.Path,
            new EngineOptions { Rows = 1, QueueLimit = 1, Threads = 1, ReaderLagPieces = 60_000 }));
        await host.Ready;
        using var http = new HttpClient { BaseAddress = new Uri(host.HttpAddress) };
        var model = ((ServedLanguageModel)host.Models.Find("busy")!).Model;
        const string Endless = """{"prompt":"a","max_tokens":60000,"ignore_eos":true,"stream":true,"temperature":0}""";
        using var left = new CancellationTokenSource();
        var first = PostAsync(http, Endless, left.Token);
        await Wait.UntilAsync(() => model.Statistics.Running == 1);
        var second = PostAsync(http, Endless, left.Token);
        await Wait.UntilAsync(() => model.Statistics.Waiting == 1);

        using var third = await PostAsync(http, Endless, CancellationToken.None);

        Assert.Equal(HttpStatusCode.ServiceUnavailable, third.StatusCode);
        Assert.Equal("1", third.Headers.RetryAfter?.ToString());
        Assert.Equal("engine_overloaded", (string?)(await ErrorAsync(third))["code"]);
        using var health = await http.GetAsync("/health");
        Assert.Equal(HttpStatusCode.OK, health.StatusCode);
        await left.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Task.WhenAll(first.ContinueWith(Drained).Unwrap(), second));
        await Wait.UntilAsync(() => model.Statistics is { Running: 0, Waiting: 0 });

        async Task Drained(Task<HttpResponseMessage> started)
        {
            using var answer = await started;
            await answer.Content.CopyToAsync(Stream.Null, left.Token);
        }
    }

    [Fact]
    public async Task Stopping_lets_a_stream_end_and_takes_no_new_one()
    {
        using var folder = new TemporaryFolder();
        DecoderFolder.Write(folder.Path, DecoderShape.Tiny);
        var host = await EngineHosts.StartAsync(new ModelSource("last", folder.Path, new EngineOptions { Rows = 1, Threads = 1 }));
        await host.Ready;
        using var http = new HttpClient { BaseAddress = new Uri(host.HttpAddress) };
        using var answer = await PostAsync(http, """{"prompt":"a","max_tokens":200,"ignore_eos":true,"stream":true}""", CancellationToken.None);

        var stopping = host.DisposeAsync();
        var text = await answer.Content.ReadAsStringAsync();
        await stopping;

        Assert.EndsWith("data: [DONE]\n\n", text, StringComparison.Ordinal);
        await Assert.ThrowsAsync<HttpRequestException>(() => http.GetAsync("/health"));
    }

    [Fact]
    public async Task Two_hundred_clients_on_four_rows_all_finish()
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, 200).Select(async index =>
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/completions")
            {
                Content = new StringContent($$"""{"prompt":"{{index}}","max_tokens":{{1 + (index % 12)}},"ignore_eos":true}""", Encoding.UTF8, "application/json"),
                Headers = { { "x-cairn-caller", "client " + (index % 7) } },
            };
            using var answer = await _http.SendAsync(request);
            answer.EnsureSuccessStatusCode();
            return (int)JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["usage"]!["completion_tokens"]!;
        }));

        Assert.Equal(Enumerable.Range(0, 200).Select(index => 1 + (index % 12)), answers);
    }

    private static double Value(string metrics, string sample)
    {
        var line = Assert.Single(metrics.Split('\n'), line => line.StartsWith(sample + " ", StringComparison.Ordinal));
        return double.Parse(line[(sample.Length + 1)..], CultureInfo.InvariantCulture);
    }

    private Task<HttpResponseMessage> PostAsync(string path, byte[] body)
    {
        var content = new ByteArrayContent(body);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        return _http.PostAsync(path, content);
    }

    private static Task<HttpResponseMessage> PostAsync(HttpClient http, string body, CancellationToken cancellationToken) => http.SendAsync(
        new HttpRequestMessage(HttpMethod.Post, "/v1/completions") { Content = new StringContent(body, Encoding.UTF8, "application/json") },
        HttpCompletionOption.ResponseHeadersRead, cancellationToken);

    private static async Task<JsonNode> ErrorAsync(HttpResponseMessage answer) =>
        JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["error"]!;
}
