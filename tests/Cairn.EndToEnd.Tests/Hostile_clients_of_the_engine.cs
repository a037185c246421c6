using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Cairn.EndToEnd.Tests;

/// <summary>One engine for a class: two rows, a context of 1,024 tokens, a template that may loop, a tokenizer without some bytes.</summary>
public sealed class OneEngine : IAsyncLifetime
{
    private readonly TemporaryHome _home = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("cairn-e2e-").FullName;

    internal CairnEngine Engine { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        var tiny = CairnEngine.WriteModel(Path.Combine(_folder, "tiny"));
        var looping = CairnEngine.WriteModel(Path.Combine(_folder, "looping"));
        await File.WriteAllTextAsync(Path.Combine(looping, "chat_template.jinja"),
            "{% for a in range(100000) %}{% for b in range(100000) %}{% for c in range(100000) %}x{% endfor %}{% endfor %}{% endfor %}");
        var mute = CairnEngine.WriteModel(Path.Combine(_folder, "mute"));
        var tokenizer = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(mute, "tokenizer.json")))!;
        tokenizer["model"]!["vocab"]!.AsObject().Remove("{");
        await File.WriteAllTextAsync(Path.Combine(mute, "tokenizer.json"), tokenizer.ToJsonString());
        Engine = await CairnEngine.StartAsync(_home.Cli, tiny, looping, mute, "--rows", "2");
    }

    public async ValueTask DisposeAsync()
    {
        await Engine.DisposeAsync();
        _home.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}

/// <summary>Whatever a client does, it gets a typed refusal or a bounded end, and the engine answers the next one.</summary>
[Trait("speed", "slow")]
public sealed class Hostile_clients_of_the_engine(OneEngine shared) : IClassFixture<OneEngine>
{
    private const string User = "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]";

    public static TheoryData<string, string, string> Bodies => new()
    {
        { "no JSON", "not json", "invalid_json" },
        { "half a body", "{\"prompt\":", "invalid_json" },
        { "bytes that are no UTF-8", "{\"model\":\"tiny\",\"prompt\":\"\xff\xfe\"}", "invalid_json" },
        { "1,000 stop strings", Completion($"\"stop\":[{string.Join(',', Enumerable.Repeat("\"x\"", 1000))}]"), "" },
        { "a negative number", Completion("\"max_tokens\":-1"), "" },
        { "a negative temperature", Completion("\"temperature\":-0.5"), "" },
        { "a huge n", Completion("\"n\":1000000000"), "" },
        { "a number beyond all types", Completion("\"n\":1e999"), "" },
        { "n outputs of many prompts", "{\"model\":\"tiny\",\"n\":128,\"prompt\":[\"a\",\"b\",\"c\"]}", "" },
        { "a cyclic schema", Completion("\"guided_json\":{\"$ref\":\"#/$defs/a\",\"$defs\":{\"a\":{\"$ref\":\"#/$defs/b\"},\"b\":{\"$ref\":\"#/$defs/a\"}}}"),
            "invalid_schema" },
        { "a schema that contains itself for ever",
            Completion("\"guided_json\":{\"type\":\"object\",\"properties\":{\"a\":{\"$ref\":\"#\"}},\"required\":[\"a\"],\"additionalProperties\":false}"),
            "invalid_schema" },
        { "a schema of too many states", Completion("\"guided_regex\":\"(a{1,1000}b{1,1000}){1,1000}\""), "invalid_schema" },
        { "deep nesting", new string('[', 100_000), "invalid_json" },
        { "a prompt beyond the context", Completion($"\"prompt\":\"{new string('a', 1024)}\""), "context_length_exceeded" },
        { "a prompt of 1 MB", Completion($"\"prompt\":\"{new string('a', 1 << 20)}\""), "context_length_exceeded" },
        { "a grammar that the tokenizer cannot say",
            "{\"model\":\"mute\",\"prompt\":\"a\",\"guided_json\":{\"type\":\"object\"}}", "invalid_schema" },
    };

    [Theory]
    [MemberData(nameof(Bodies))]
    public async Task A_body_of(string what, string body, string code)
    {
        Assert.NotEmpty(what);
        await RefusedAsync("/v1/completions", body, 400, code);
        await shared.Engine.RequireAnswersToAsync("tiny");
    }

    [Fact]
    public async Task A_template_that_loops_for_ever()
    {
        var error = await RefusedAsync("/v1/chat/completions", $"{{\"model\":\"looping\",{User}}}", 400, "chat_template");
        Assert.NotEmpty(error.Text("message"));
        await shared.Engine.RequireAnswersToAsync("tiny");
    }

    [Fact]
    public async Task An_answer_that_must_be_JSON_from_a_tokenizer_without_braces()
    {
        var chat = $"{{\"model\":\"mute\",{User},\"response_format\":{{\"type\":\"json_object\"}}}}";
        await RefusedAsync("/v1/chat/completions", chat, 400, "invalid_schema");
        await RefusedAsync("/v1/chat/completions", chat.Replace("}}", "},\"stream\":true}", StringComparison.Ordinal), 400, "invalid_schema");
        await shared.Engine.RequireAnswersToAsync("mute");
    }

    /// <summary>Both rows' readers take nothing: their generations end or wait in a bounded buffer, and others are served.</summary>
    [Fact]
    public async Task Readers_that_take_a_byte_now_and_then()
    {
        using var first = await OpenAsync(Post("{\"model\":\"tiny\",\"prompt\":\"a\",\"max_tokens\":1000,\"ignore_eos\":true,\"stream\":true}"));
        using var second = await OpenAsync(Post("{\"model\":\"tiny\",\"prompt\":\"b\",\"max_tokens\":1000,\"ignore_eos\":true,\"stream\":true}"));
        var one = new byte[1];
        for (var i = 0; i < 20; i++)
            foreach (var client in new[] { first, second })
                Assert.Equal(1, await client.GetStream().ReadAsync(one, TestContext.Current.CancellationToken));
        await shared.Engine.RequireAnswersToAsync("tiny");
    }

    /// <summary>It holds a connection only, and the server's own bound ends it.</summary>
    [Fact]
    public async Task A_client_that_never_sends_its_body()
    {
        using var client = await OpenAsync("POST /v1/completions HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n");
        await shared.Engine.RequireAnswersToAsync("tiny");
        Assert.Equal(0, await shared.Engine.MetricAsync("vllm:num_requests_waiting"));
        var answer = new byte[4096];
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TimeSpan.FromMinutes(4));
        var read = await client.GetStream().ReadAsync(answer, limit.Token);
        if (read > 0)
            Assert.StartsWith("HTTP/1.1 408", Encoding.ASCII.GetString(answer, 0, read), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Something_that_is_no_HTTP()
    {
        using var client = await OpenAsync("\0\0\0 HELO\r\n\r\n");
        using var reader = new StreamReader(client.GetStream());
        Assert.StartsWith("HTTP/1.1 400", await reader.ReadToEndAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        await shared.Engine.RequireAnswersToAsync("tiny");
    }

    private async Task<JsonElement> RefusedAsync(string path, string body, int status, string code)
    {
        // Latin-1 keeps each character one byte, so that a test can send bytes that are no UTF-8.
        using var answer = await shared.Engine.PostAsync(path, Encoding.Latin1.GetBytes(body));
        var text = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True((int)answer.StatusCode == status, $"{(int)answer.StatusCode}: {text}");
        var error = JsonDocument.Parse(text).RootElement.GetProperty("error");
        Assert.Equal("invalid_request_error", error.Text("type"));
        if (code.Length > 0)
            Assert.Equal(code, error.Text("code"));
        Assert.InRange(error.Text("message").Length, 10, 2000);
        return error;
    }

    private static string Completion(string field) =>
        field.StartsWith("\"prompt\"", StringComparison.Ordinal) ? $"{{\"model\":\"tiny\",{field}}}"
            : $"{{\"model\":\"tiny\",\"prompt\":\"a\",{field}}}";

    private static string Post(string body) =>
        $"POST /v1/completions HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: {body.Length}\r\n\r\n{body}";

    private async Task<TcpClient> OpenAsync(string bytes)
    {
        var client = new TcpClient { ReceiveBufferSize = 1024 };
        await client.ConnectAsync(IPAddress.Loopback, shared.Engine.Port, TestContext.Current.CancellationToken);
        await client.GetStream().WriteAsync(Encoding.Latin1.GetBytes(bytes), TestContext.Current.CancellationToken);
        return client;
    }
}
