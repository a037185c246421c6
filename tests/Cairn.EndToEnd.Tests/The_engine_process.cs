using System.Diagnostics;
using System.Net;
using System.Text.Json;

namespace Cairn.EndToEnd.Tests;

/// <summary>The life of the process <c>cairn engine</c>, and many clients at once.</summary>
[Trait("speed", "slow")]
public sealed class The_engine_process : IDisposable
{
    private readonly TemporaryHome _home = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("cairn-e2e-").FullName;

    [Fact]
    public async Task It_says_on_stdout_in_one_line_of_JSON_where_it_listens_and_what_it_serves()
    {
        using var process = _home.Cli.Start("engine", Model(), "--port", "0", "--grpc-port", "0", "--json", "--rows", "3", "--context", "512",
            "--kv-memory", "400kB");
        var notes = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var line = await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken);
        var ready = JsonDocument.Parse(line!).RootElement;
        var model = ready.GetProperty("models")[0];
        Assert.Equal(process.Id, ready.GetProperty("process_id").GetInt32());
        Assert.Equal(("tiny", 512, 3, "fp32"), (model.Text("name"), model.GetProperty("context").GetInt32(),
            model.GetProperty("rows").GetInt32(), model.Text("precision")));
        Assert.InRange(model.GetProperty("key_value_bytes").GetInt64(), 1, 400_000);
        Assert.StartsWith("http://127.0.0.1:", ready.Text("grpc"), StringComparison.Ordinal);
        using (var http = new HttpClient())
            Assert.Equal(HttpStatusCode.OK, (await http.GetAsync(ready.Text("http") + "/health",
                TestContext.Current.CancellationToken)).StatusCode);
        await SignalAsync(process, "-INT");
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, process.ExitCode);
        Assert.Equal("", await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken));
        Assert.DoesNotContain("Exception", await notes, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_signal_that_asks_lets_a_stream_end_and_then_it_exits_with_0()
    {
        // A busy machine needs longer than the default for what remains of the stream.
        await using var engine = await CairnEngine.StartAsync(_home.Cli, Model(context: 8192), "--drain", "100");
        using var answer = await engine.PostAsync("/v1/completions", Stream(tokens: 3000), stream: true);
        using var lines = new StreamReader(await answer.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken));
        Assert.StartsWith("data: {", await lines.ReadLineAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);

        var code = engine.Program.TerminateAsync();
        var rest = await lines.ReadToEndAsync(TestContext.Current.CancellationToken);

        Assert.EndsWith("data: [DONE]\n\n", rest, StringComparison.Ordinal);
        Assert.Contains("\"completion_tokens\":3000", rest, StringComparison.Ordinal);
        Assert.Equal(0, await code);
    }

    [Fact]
    public async Task A_client_that_is_killed_frees_its_row()
    {
        const int Asked = 60_000;
        await using var engine = await CairnEngine.StartAsync(_home.Cli, Model(context: 65_536), "--rows", "1");
        using var client = Process.Start(new ProcessStartInfo("curl", ["-sN", engine.Address + "/v1/completions",
            "-H", "content-type: application/json", "-d", Stream(Asked)]) { RedirectStandardOutput = true })!;
        Assert.StartsWith("data: {", await client.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken),
            StringComparison.Ordinal);
        // The engine tells its numbers when a step is over, and its clients a moment before.
        await Eventually.TrueAsync(async () => await engine.MetricAsync("vllm:num_requests_running") == 1, "the row is taken");
        client.Kill();
        await Eventually.TrueAsync(async () => await engine.MetricAsync("vllm:num_requests_running") == 0, "the row is free");

        var made = await engine.MetricAsync("vllm:generation_tokens_total");
        Assert.InRange(made, 1, Asked - 1000);
        using var next = await engine.PostAsync("/v1/completions", """{"prompt":"next","max_tokens":5,"ignore_eos":true}""");
        Assert.Equal(HttpStatusCode.OK, next.StatusCode);
        await Eventually.TrueAsync(async () => await engine.MetricAsync("vllm:generation_tokens_total") == made + 5, "five more are counted");
    }

    [Fact]
    public async Task Two_hundred_clients_share_eight_rows_and_none_starves()
    {
        await using var engine = await CairnEngine.StartAsync(_home.Cli, Model(), "--rows", "8");
        var ended = 0;
        // One caller floods with 150 long requests before 50 callers come with a short one each.
        var flood = Enumerable.Range(0, 150).Select(i => AskAsync("flood", i, tokens: 250)).ToList();
        await Eventually.TrueAsync(async () => await engine.MetricAsync("vllm:num_requests_waiting") >= 100 || ended > 50, "many wait");
        var others = Enumerable.Range(0, 50).Select(i => AskAsync($"caller-{i}", 1000 + i, tokens: 48)).ToList();
        var places = await Task.WhenAll(flood.Concat(others));

        Assert.Equal(200, ended);
        Assert.All(places[150..], place => Assert.True(place < places[..150].Max(), $"a single request ended {place}. of 200"));
        await Eventually.TrueAsync(async () => await engine.MetricAsync("vllm:num_requests_running") == 0, "no row is taken");
        Assert.Equal(0, await engine.MetricAsync("vllm:num_requests_waiting"));

        async Task<int> AskAsync(string caller, int number, int tokens)
        {
            using var answer = await engine.PostAsync(
                "/v1/completions", $$"""{"prompt":"number {{number}} asks","max_tokens":{{tokens}},"ignore_eos":true}""", caller);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            var body = JsonDocument.Parse(await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).RootElement;
            Assert.Equal(tokens, body.GetProperty("usage").GetProperty("completion_tokens").GetInt32());
            return Interlocked.Increment(ref ended);
        }
    }

    [Fact]
    public async Task A_second_engine_on_the_same_port_says_so_and_the_first_goes_on()
    {
        await using var engine = await CairnEngine.StartAsync(_home.Cli, Model());
        var second = await _home.Cli.RunAsync("engine", Model(), "--port", $"{engine.Port}", "--grpc-port", "-1");
        Assert.Equal(4, second.ExitCode);
        Assert.Contains($"{engine.Port}", second.Error, StringComparison.Ordinal);
        Assert.Contains("--port", second.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", second.Error, StringComparison.Ordinal);
        await engine.RequireAnswersAsync();
    }

    private string Model(int context = 1024) => CairnEngine.WriteModel(Path.Combine(_folder, "tiny"), context);

    private static string Stream(int tokens) =>
        $$$"""{"prompt":"a","max_tokens":{{{tokens}}},"ignore_eos":true,"stream":true,"stream_options":{"include_usage":true}}""";

    private static async Task SignalAsync(Process process, string signal)
    {
        using var kill = Process.Start("/bin/kill", [signal, $"{process.Id}"]);
        await kill.WaitForExitAsync(TestContext.Current.CancellationToken);
    }

    public void Dispose()
    {
        _home.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
