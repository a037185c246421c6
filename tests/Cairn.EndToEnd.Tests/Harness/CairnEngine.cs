using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using Cairn.Frameworks.Onnx.Decoders;

namespace Cairn.EndToEnd.Tests;

/// <summary>A running <c>cairn engine</c>: the real program, spoken to over loopback.</summary>
internal sealed class CairnEngine : IAsyncDisposable
{
    private readonly RunningProgram _program;

    private CairnEngine(RunningProgram program, JsonElement ready)
    {
        (_program, Ready) = (program, ready);
        Address = ready.GetProperty("http").GetString()!;
        Http = new HttpClient { BaseAddress = new Uri(Address), Timeout = TimeSpan.FromMinutes(4) };
    }

    /// <summary>What <c>--json</c> says when the models are loaded.</summary>
    public JsonElement Ready { get; }

    public string Address { get; }

    public int Port => new Uri(Address).Port;

    public HttpClient Http { get; }

    public RunningProgram Program => _program;

    /// <summary>With free ports, one thread and no gRPC.</summary>
    public static async Task<CairnEngine> StartAsync(CairnProgram cli, params string[] arguments)
    {
        var program = RunningProgram.Start(cli, ["engine", "--port", "0", "--grpc-port", "-1", "--threads", "1", "--json", .. arguments]);
        try
        {
            var line = await Eventually.GetAsync(
                () =>
                {
                    program.RequireAlive();
                    return Task.FromResult(program.Log.Split('\n').FirstOrDefault(l => l.StartsWith("{\"http\"", StringComparison.Ordinal)));
                },
                "the engine says that it is ready");
            return new CairnEngine(program, JsonDocument.Parse(line).RootElement);
        }
        catch
        {
            await program.DisposeAsync();
            throw;
        }
    }

    /// <summary>A made decoder with random weights: quick to load, and it never says its end where <c>ignore_eos</c> is set.</summary>
    public static string WriteModel(string folder, int context = 1024)
    {
        DecoderFolder.Write(folder, DecoderShape.Tiny with { Context = context });
        return folder;
    }

    public Task<HttpResponseMessage> PostAsync(string path, string json, string? caller = null, bool stream = false) =>
        PostAsync(path, Encoding.UTF8.GetBytes(json), caller, stream);

    public async Task<HttpResponseMessage> PostAsync(string path, byte[] json, string? caller = null, bool stream = false)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new ByteArrayContent(json) };
        request.Content.Headers.ContentType = new("application/json");
        if (caller is not null)
            request.Headers.Add("x-cairn-caller", caller);
        return await Http.SendAsync(
            request, stream ? HttpCompletionOption.ResponseHeadersRead : HttpCompletionOption.ResponseContentRead,
            TestContext.Current.CancellationToken);
    }

    public Task RequireAnswersAsync() => RequireAnswersToAsync("tiny");

    public async Task RequireAnswersToAsync(string model)
    {
        _program.RequireAlive();
        using var answer = await PostAsync(
            "/v1/completions", $$"""{"model":"{{model}}","prompt":"still here","max_tokens":3,"ignore_eos":true}""");
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    /// <summary>A metric's value, summed over its labels.</summary>
    public async Task<double> MetricAsync(string name)
    {
        var text = await Http.GetStringAsync("/metrics", TestContext.Current.CancellationToken);
        return text.Split('\n').Where(line => line.StartsWith(name + "{", StringComparison.Ordinal))
            .Sum(line => double.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture));
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await _program.DisposeAsync();
    }
}
