using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Cairn.Frameworks.Engine;
using Cairn.Frameworks.Engine.Hosting;
using Cairn.Frameworks.Onnx.Decoders;

namespace Cairn.Frameworks.Tests.OpenAi;

/// <summary>The loop's own thread writes to the connections, as it does where steps occupy every processor.</summary>
public sealed class Streams_sent_between_steps : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();
    private readonly HttpClient _http = new();
    private EngineHost _host = null!;

    public async ValueTask InitializeAsync()
    {
        DecoderFolder.Write(_folder.Path, DecoderShape.Tiny with { Context = 4096 });
        _host = await EngineHosts.StartAsync(
            new ModelSource("tiny", _folder.Path, new EngineOptions { Rows = 4, Threads = 1, RunsBriefReaders = true }));
        await _host.Ready;
        _http.BaseAddress = new Uri(_host.HttpAddress);
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _host.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task Say_all_there_is_to_say_in_order_up_to_the_stop()
    {
        // The grammar leaves one text only, so what the model finds likely plays no part.
        var streamed = await Task.WhenAll(Enumerable.Range(0, 24).Select(async index =>
        {
            var said = $"{index} sheep and {index + 1} sheep STOP never said";
            var body = $$"""{"prompt":"a","max_tokens":99,"n":{{1 + (index % 3)}},"guided_regex":"{{said}}","stop":["STOP"],"logprobs":1,"stream":true}""";
            var events = (await AskAsync(body)).Split("\n\n", StringSplitOptions.RemoveEmptyEntries);
            Assert.Equal("data: [DONE]", events[^1]);
            return events[..^1].SelectMany(one => JsonNode.Parse(one["data: ".Length..])!["choices"]!.AsArray())
                .GroupBy(choice => (int)choice!["index"]!).OrderBy(of => of.Key)
                .Select(of => (Text: string.Concat(of.Select(choice => (string)choice!["text"]!)), Finish: (string?)of.Last()!["finish_reason"]))
                .ToList();
        }));

        for (var index = 0; index < streamed.Length; index++)
            Assert.Equal(Enumerable.Repeat(($"{index} sheep and {index + 1} sheep ", (string?)"stop"), 1 + (index % 3)), streamed[index]);
    }

    [Fact]
    public async Task Answer_requests_that_wait_on_the_same_connection_one_after_the_other()
    {
        const string Body = """{"prompt":"a","max_tokens":3,"ignore_eos":true,"stream":true}""";
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPEndPoint.Parse(_http.BaseAddress!.Authority), TestContext.Current.CancellationToken);
        var request = $"POST /v1/completions HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: {Body.Length}\r\n\r\n{Body}";
        await socket.SendAsync(Encoding.ASCII.GetBytes(request + request + request), TestContext.Current.CancellationToken);

        var (text, buffer) = ("", new byte[4096]);
        while (text.Split("data: [DONE]").Length < 4)
        {
            var read = await socket.ReceiveAsync(buffer, TestContext.Current.CancellationToken);
            Assert.NotEqual(0, read);
            text += Encoding.ASCII.GetString(buffer, 0, read);
        }

        Assert.Equal(4, text.Split("HTTP/1.1 200").Length);
    }

    [Fact]
    public async Task Hold_nobody_up_who_reads_while_another_does_not_and_free_the_rows_of_who_leaves()
    {
        using var left = new CancellationTokenSource();
        var model = ((ServedLanguageModel)_host.Models.Find("tiny")!).Model;
        const string Long = """{"prompt":"a","max_tokens":4000,"ignore_eos":true,"stream":true,"n":3}""";
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/completions") { Content = Json(Long) };
        using var unread = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, left.Token);

        Assert.EndsWith("data: [DONE]\n\n", await AskAsync("""{"prompt":"b","max_tokens":20,"ignore_eos":true,"stream":true}"""), StringComparison.Ordinal);

        unread.Dispose();
        await Wait.UntilAsync(() => model.Statistics is { Running: 0, Waiting: 0 });
    }

    private async Task<string> AskAsync(string body)
    {
        using var answer = await _http.PostAsync("/v1/completions", Json(body), TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
    }

    private static StringContent Json(string body) => new(body, Encoding.UTF8, "application/json");
}
