using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cairn.Frameworks.Onnx.Decoders;

namespace Cairn.EndToEnd.Tests;

/// <summary>
/// `cairn serve` with the real program, a real engine and a real model of random weights: what a client sees while replicas sleep, die, are replaced and move.
/// </summary>
[Trait("speed", "slow")]
public sealed class A_model_is_served
{
    [Fact]
    public async Task It_answers_sleeps_and_wakes_for_a_client_that_waits()
    {
        await using var up = await CairnUp.StartAsync();
        await up.GrantAsync(1);
        await ServeAsync(up, "--min", "0", "--max", "2", "--scale-to-zero-delay", "2", "--concurrency", "3", "--input-price", "0.5", "--output-price", "1.5");
        using var client = new Client(up);
        var answer = await client.CompleteAsync("Hello", 8);
        Assert.Equal(8, (int)answer["usage"]!["completion_tokens"]!);
        var events = await client.StreamAsync("Hello", 8);
        Assert.Equal("data: [DONE]", events[^1]);
        Assert.Contains("\"finish_reason\":\"length\"", events[^2], StringComparison.Ordinal);
        var chat = (await up.Cli.RunAsync("chat", "tiny", "-m", "Hi", "--max-tokens", "4", "--json")).Succeeded();
        Assert.Equal("assistant", chat.Json.GetProperty("role").GetString());

        await UntilAsync(up, e => e.GetProperty("phase").GetString() == "asleep", "it sleeps");
        Assert.Equal(8, (int)(await client.CompleteAsync("Hello", 8))["usage"]!["completion_tokens"]!);

        (await up.Cli.RunAsync("stop", "tiny")).Succeeded();
        await Eventually.TrueAsync(async () => (await up.GetAsync("endpoints")).GetProperty("items").GetArrayLength() == 0, "the endpoint has ended");
        await Eventually.TrueAsync(async () => await client.StatusAsync("Hello", 1) == HttpStatusCode.NotFound, "the gateway knows that it has ended");
    }

    [Fact]
    public async Task A_killed_engine_breaks_its_stream_properly_and_nothing_else()
    {
        await using var up = await CairnUp.StartAsync();
        await ServeAsync(up, "--min", "2", "--max", "2");
        await UntilAsync(up, e => e.GetProperty("ready").GetInt32() == 2, "both replicas are ready");
        using var client = new Client(up);
        await using var stream = await client.OpenStreamAsync("Hello", 200);
        Assert.StartsWith("data: ", await stream.NextAsync(), StringComparison.Ordinal);
        NodeLeftovers.KillTasks(up.NodeFolder);
        var last = "";
        while (await stream.NextAsync() is { } line)
            last = line.Length > 0 ? line : last;
        Assert.True(last.Contains("\"error\"", StringComparison.Ordinal) || last == "data: [DONE]", $"the stream ended with {last}");

        // Whoever comes now waits for new replicas and is answered.
        Assert.Equal(4, (int)(await client.CompleteAsync("Hello", 4))["usage"]!["completion_tokens"]!);
    }

    [Fact]
    public async Task A_rollout_under_traffic_fails_nobody()
    {
        await using var up = await CairnUp.StartAsync();
        var model = await ServeAsync(up, "--min", "2", "--max", "2");
        await UntilAsync(up, e => e.GetProperty("ready").GetInt32() == 2, "both replicas are ready");
        using var stop = new CancellationTokenSource();
        var answered = 0;
        var traffic = Task.WhenAll(Enumerable.Range(0, 3).Select(async _ =>
        {
            using var client = new Client(up);
            while (!stop.IsCancellationRequested)
            {
                Assert.Equal(HttpStatusCode.OK, await client.StatusAsync("Hello", 6));
                Interlocked.Increment(ref answered);
            }
        }));
        (await up.Cli.RunAsync("rollout", "tiny", model)).Succeeded();
        await UntilAsync(up, e => e.GetProperty("revision").GetInt32() == 2 && e.GetProperty("phase").GetString() == "ready" && e.GetProperty("ready").GetInt32() == 2, "the rollout is over");
        var replicas = (await up.GetAsync("endpoints/tiny")).GetProperty("replicas").EnumerateArray().Where(r => r.GetProperty("phase").GetString() == "ready");
        Assert.All(replicas, r => Assert.Equal(2, r.GetProperty("revision").GetInt32()));
        await stop.CancelAsync();
        await traffic;
        Assert.True(answered > 0);
    }

    [Fact]
    public async Task It_survives_the_server()
    {
        await using var up = await CairnUp.StartAsync();
        await ServeAsync(up);
        string id;
        using (var before = new Client(up))
            id = (string)(await before.AskAsync("/v1/responses", new { model = "tiny", input = "Hi", max_output_tokens = 4 }))["id"]!;
        await up.KillAsync();
        await up.StartAgainAsync();
        using var client = new Client(up);
        // Until the first snapshot has come, clients are told to try again, and do.
        await Eventually.TrueAsync(async () => await client.StatusAsync("Hello", 1) != HttpStatusCode.ServiceUnavailable, "the gateway knows its models again");
        Assert.Equal(4, (int)(await client.CompleteAsync("Hello", 4))["usage"]!["completion_tokens"]!);
        Assert.Equal(1, (await up.GetAsync("jobs?phase=live")).GetProperty("items").GetArrayLength());
        // A response that was kept is gone on from, and Anthropic's words are understood as well.
        var next = await client.AskAsync("/v1/responses", new { model = "tiny", input = "More", max_output_tokens = 4, previous_response_id = id });
        Assert.Equal(("response", id), ((string?)next["object"], (string?)next["previous_response_id"]));
        var message = await client.AskAsync("/v1/messages", new { model = "tiny", max_tokens = 4, messages = new[] { new { role = "user", content = "Hi" } } });
        Assert.Equal(("message", "assistant"), ((string?)message["type"], (string?)message["role"]));
        Assert.InRange((int)message["usage"]!["output_tokens"]!, 1, 4);
        var counted = await client.AskAsync("/v1/messages/count_tokens", new { model = "tiny", messages = new[] { new { role = "user", content = "Hi" } } });
        Assert.Equal((int)message["usage"]!["input_tokens"]!, (int)counted["input_tokens"]!);
    }

    [Fact]
    public async Task Any_http_server_with_a_readiness_path_is_a_service()
    {
        await using var up = await CairnUp.StartAsync();
        var file = up.WriteFile("skypilot-service.yaml", """
            name: files
            service:
              readiness_probe: /
              replicas: 1
            resources:
              cpus: 1+
              ports: 8123
            run: |
              exec /usr/bin/python3 -m http.server "$PORT" --bind 127.0.0.1
            """);
        (await up.Cli.RunAsync("serve", file, "--model", "")).Succeeded();
        var endpoint = await up.GetAsync("endpoints/files");
        Assert.Equal("ready", endpoint.GetProperty("phase").GetString());
        using var http = up.NewClient();
        http.BaseAddress = new Uri(up.Address);
        Assert.Contains("Directory listing", await http.GetStringAsync("/endpoints/files/", TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotFound, (await http.GetAsync("/endpoints/files/absent", TestContext.Current.CancellationToken)).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await http.GetAsync("/endpoints/nobody/", TestContext.Current.CancellationToken)).StatusCode);
        http.DefaultRequestHeaders.Authorization = null;
        Assert.Equal(HttpStatusCode.Unauthorized, (await http.GetAsync("/endpoints/files/", TestContext.Current.CancellationToken)).StatusCode);
    }

    private static async Task<string> ServeAsync(CairnUp up, params string[] flags)
    {
        var folder = Path.Combine(up.Folder, "tiny");
        DecoderFolder.Write(folder, DecoderShape.Tiny, weights: RandomWeights.Seeded(7));
        (await up.Cli.RunAsync(["serve", folder, "--name", "tiny", .. flags])).Succeeded();
        return folder;
    }

    private static Task UntilAsync(CairnUp up, Func<JsonElement, bool> condition, string what) =>
        Eventually.TrueAsync(async () => condition(await up.GetAsync("endpoints/tiny")), what);

    private sealed class Client : IDisposable
    {
        private readonly HttpClient _http;

        public Client(CairnUp up)
        {
            _http = up.NewClient();
            _http.BaseAddress = new Uri(up.Address);
        }

        public async Task<JsonNode> CompleteAsync(string prompt, int tokens)
        {
            using var response = await PostAsync(prompt, tokens, stream: false);
            var text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
            Assert.True(response.IsSuccessStatusCode, text);
            return JsonNode.Parse(text)!;
        }

        public async Task<JsonNode> AskAsync(string path, object body)
        {
            using var content = new StringContent(JsonSerializer.Serialize(body), Encoding.UTF8, "application/json");
            using var response = await _http.PostAsync(path, content, TestContext.Current.CancellationToken);
            var text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
            Assert.True(response.IsSuccessStatusCode, text);
            return JsonNode.Parse(text)!;
        }

        public async Task<HttpStatusCode> StatusAsync(string prompt, int tokens)
        {
            using var response = await PostAsync(prompt, tokens, stream: false);
            return response.StatusCode;
        }

        public async Task<List<string>> StreamAsync(string prompt, int tokens)
        {
            using var response = await PostAsync(prompt, tokens, stream: true);
            var text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
            return [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries)];
        }

        public async Task<OpenStream> OpenStreamAsync(string prompt, int tokens)
        {
            var response = await PostAsync(prompt, tokens, stream: true);
            return new OpenStream(response, new StreamReader(await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken)));
        }

        public void Dispose() => _http.Dispose();

        private Task<HttpResponseMessage> PostAsync(string prompt, int tokens, bool stream)
        {
            var body = JsonSerializer.Serialize(new { model = "tiny", prompt, max_tokens = tokens, ignore_eos = true, stream });
            var request = new HttpRequestMessage(HttpMethod.Post, "/v1/completions") { Content = new StringContent(body, Encoding.UTF8, "application/json") };
            return _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
        }
    }

    private sealed class OpenStream(HttpResponseMessage response, StreamReader reader) : IAsyncDisposable
    {
        public async Task<string?> NextAsync() => await reader.ReadLineAsync(TestContext.Current.CancellationToken);

        public ValueTask DisposeAsync()
        {
            reader.Dispose();
            response.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
