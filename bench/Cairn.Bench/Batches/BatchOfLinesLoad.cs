using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Cairn.Bench.Gateway;
using Cairn.Bench.Servers;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;
using static Cairn.Bench.Engine.EngineFigures;

namespace Cairn.Bench.Batches;

/// <summary>
/// A whole batch through a real <c>cairn server</c> on SQLite: its input comes in, is validated, runs line by line at a provider on loopback that answers at once, and its
/// output is written. The provider runs in this process, on the same cores.
/// </summary>
internal static class BatchOfLinesLoad
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan s_look = TimeSpan.FromMilliseconds(100);

    /// <summary>Arguments: lines (default 50000), bytes of each prompt (default 1000).</summary>
    public static async Task<bool> RunAsync(string[] args)
    {
        var lines = Rounds(args, 50_000);
        var prompt = Rounds([.. args.Skip(1)], 1_000);
        await using var provider = await ProviderAsync();
        await using var server = await ServerProcess.StartAsync("server");
        using var api = new ServerApi(server);
        await api.GrantAsync(1_000);
        await AddProviderAsync(server, provider.Urls.First() + "/v1");
        using var http = new HttpClient { BaseAddress = new Uri(server.Http), Timeout = s_patience };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", server.Key);

        var input = Input(lines, prompt);
        var (idle, began) = (server.ResidentBytes, Stopwatch.GetTimestamp());
        var file = await UploadAsync(http, input);
        Say($"{input.Length / 1e6:N1} MB of input came in within {Stopwatch.GetElapsedTime(began).TotalSeconds:N2} s");
        var (batch, seen) = await RunAsync(http, server, file);

        var completed = batch.GetProperty("request_counts").GetProperty("completed").GetInt32();
        var output = await SizeAsync(http, batch.GetProperty("output_file_id").GetString());
        var rows = new FileInfo(server.DatabasePath).Length;
        Say($"validated within {seen.Validated.TotalSeconds:N2} s; {lines} lines ran within {seen.Ran.TotalSeconds:N1} s; files were written within {seen.Written.TotalSeconds:N2} s");
        Say($"{seen.Processor.TotalMicroseconds / lines:N0} µs of the server's processor time a line; output {output / 1e6:N1} MB; database {rows / 1e6:N1} MB");
        Say($"resident: {idle / 1e6:N0} MB before, {seen.MostBytes / 1e6:N0} MB at most");
        return Row($"`batch`: {lines:N0} lines of {prompt:N0} bytes at a provider that answers at once", "every line answered; under 500 MB",
            completed == lines && seen.MostBytes < 500_000_000,
            $"{lines / seen.Ran.TotalSeconds:N0} lines/s, validated in {seen.Validated.TotalSeconds:N1} s, files written in {seen.Written.TotalSeconds:N1} s, {seen.MostBytes / 1e6:N0} MB at most");
    }

    private static async Task<(JsonElement Batch, Seen Seen)> RunAsync(HttpClient http, ServerProcess server, string file)
    {
        using var made = await http.PostAsJsonAsync("/v1/batches", new { input_file_id = file, endpoint = "/v1/chat/completions", completion_window = "24h" });
        var id = (await JsonOfAsync(made)).GetProperty("id").GetString();
        var (began, before, seen) = (Stopwatch.GetTimestamp(), server.ProcessorTime, new Seen());
        while (true)
        {
            using var shown = await http.GetAsync($"/v1/batches/{id}");
            var batch = await JsonOfAsync(shown);
            var status = batch.GetProperty("status").GetString();
            var took = Stopwatch.GetElapsedTime(began);
            seen.MostBytes = Math.Max(seen.MostBytes, server.ResidentBytes);
            if (status == "validating")
                seen.Validated = took;
            else if (status == "in_progress")
                seen.Ran = took - seen.Validated;
            else if (status == "completed")
                return (batch, seen with { Written = took - seen.Validated - seen.Ran, Processor = server.ProcessorTime - before });
            else if (status != "finalizing")
                throw new InvalidOperationException($"The batch is {status}: {batch}");
            if (took > s_patience)
                throw new TimeoutException($"The batch is {status} after {took}: {batch.GetProperty("request_counts")}");
            await Task.Delay(s_look);
        }
    }

    private static async Task<WebApplication> ProviderAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var app = builder.Build();
        app.MapPost("/v1/chat/completions", MockUpstream.AnswerAsync);
        await app.StartAsync();
        return app;
    }

    private static async Task AddProviderAsync(ServerProcess server, string url)
    {
        var start = new ProcessStartInfo(CairnProgram.Path, ["providers", "add", "mock", "--url", url, "--key-env", "MOCK_KEY", "--model", "chat=up", "--output-price", "1"])
        {
            RedirectStandardOutput = true, RedirectStandardError = true,
        };
        (start.Environment["CAIRN_HOME"], start.Environment["MOCK_KEY"]) = (server.Home, "sk-none");
        using var process = Process.Start(start)!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"'cairn providers add' ended with {process.ExitCode}: {await output}{await errors}");
    }

    private static byte[] Input(int lines, int prompt)
    {
        var (text, content) = (new StringBuilder(), new string('a', prompt));
        for (var i = 0; i < lines; i++)
        {
            text.Append(CultureInfo.InvariantCulture, $$"""{"custom_id":"r{{i}}","method":"POST","url":"/v1/chat/completions",""");
            text.Append(CultureInfo.InvariantCulture, $$""" "body":{"model":"chat","max_tokens":16,"messages":[{"role":"user","content":"{{content}}"}]} }""");
            text.Append('\n');
        }
        return Encoding.UTF8.GetBytes(text.ToString());
    }

    private static async Task<string> UploadAsync(HttpClient http, byte[] input)
    {
        using var form = new MultipartFormDataContent { { new StringContent("batch"), "purpose" }, { new ByteArrayContent(input), "file", "in.jsonl" } };
        using var answer = await http.PostAsync("/v1/files", form);
        return (await JsonOfAsync(answer)).GetProperty("id").GetString()!;
    }

    private static async Task<long> SizeAsync(HttpClient http, string? file)
    {
        using var answer = await http.GetAsync($"/v1/files/{file}");
        return (await JsonOfAsync(answer)).GetProperty("bytes").GetInt64();
    }

    private static async Task<JsonElement> JsonOfAsync(HttpResponseMessage answer)
    {
        var text = await answer.Content.ReadAsStringAsync();
        if (!answer.IsSuccessStatusCode)
            throw new InvalidOperationException($"{answer.RequestMessage!.RequestUri} answered {(int)answer.StatusCode}: {text}");
        using var document = JsonDocument.Parse(text);
        return document.RootElement.Clone();
    }

    /// <summary>What a batch took, to the tenth of a second in which it is looked at.</summary>
    private sealed record Seen
    {
        public TimeSpan Validated { get; set; }

        public TimeSpan Ran { get; set; }

        public TimeSpan Written { get; init; }

        public TimeSpan Processor { get; init; }

        public long MostBytes { get; set; }
    }
}
