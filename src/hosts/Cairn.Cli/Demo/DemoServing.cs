using System.Diagnostics;
using System.Net.ServerSentEvents;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cairn.Cli.CommandLine;
using Cairn.Cli.Connection;
using Cairn.Cli.Endpoints;
using Cairn.Cli.ModelCatalog;
using Cairn.Cli.Offers;
using Cairn.Cli.Workdirs;
using Cairn.Contracts.Api;
using Cairn.Frameworks.Fitting;
using Cairn.Frameworks.ModelCatalog;
using Cairn.Frameworks.Quantizing;
using Spectre.Console;

namespace Cairn.Cli.Demo;

/// <summary>
/// Serves what was trained: (1) in int4, on the edge node; (2) one completion streams; (3) a burst brings a second replica, and its end
/// takes it away; (4) what a million tokens cost there, beside a hosted model of the catalogue.
/// </summary>
internal sealed class DemoServing(Output output, ApiClient api, string folder)
{
    private const string Name = "tiny";
    private const string Hosted = "llama-3.1-8b";
    private const int BurstClients = 12;
    private static readonly TimeSpan s_longestBurst = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan s_longestStop = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan s_longestCalm = TimeSpan.FromSeconds(60);

    /// <param name="keep">Leaves the endpoint there.</param>
    public async Task RunAsync(bool keep, CancellationToken cancellationToken)
    {
        // (1)
        var model = Quantize(cancellationToken);
        try
        {
            await ServeAsync(model, cancellationToken);

            // (2), (3)
            using var http = api.NewRawClient();
            await StreamAsync(http, cancellationToken);
            var tokensPerSecond = await BurstAsync(http, cancellationToken);

            // (4)
            await PriceAsync(tokensPerSecond, cancellationToken);
        }
        finally
        {
            if (!keep)
                await StopAsync();
        }
    }

    /// <summary>
    /// A daemon that ends leaves its tasks running on purpose, so the engines must have ended before; also where the demo is cut short.
    /// </summary>
    private async Task StopAsync()
    {
        using var patience = new CancellationTokenSource(s_longestStop);
        try
        {
            await api.PostAsync<object, EndpointView>($"endpoints/{Name}/stop", new { }, patience.Token);
            while ((await api.GetAsync<Page<EndpointView>>("endpoints", patience.Token)).Items.Count > 0)
                await Task.Delay(TimeSpan.FromMilliseconds(100), patience.Token);
        }
        catch (Exception failed) when (failed is CliException or OperationCanceledException)
        {
            output.Note($"The endpoint '{Name}' could not be stopped: {failed.Message}");
        }
    }

    private string Quantize(CancellationToken cancellationToken)
    {
        var model = Path.Combine(folder, "model-int4");
        var report = ModelQuantizer.Quantize(Path.Combine(folder, "model"), model, new QuantizeOptions { Target = QuantizeTarget.Int4 }, TimeProvider.System, null, cancellationToken);
        output.Line($"  int4: {Words.Bytes(report.BytesBefore)} → {Words.Bytes(report.BytesAfter)}" + (report.Decoder is { } quality
            ? $", the same next token as before in {quality.Top1Agreement:P1} of a text" : ""));
        return model;
    }

    private async Task ServeAsync(string model, CancellationToken cancellationToken)
    {
        var text = ServedFolder.OnnxFolder(model, Name).Replace("workdir: .", "where:\n  deployment_models: [edge]\nworkdir: .", StringComparison.Ordinal);
        var request = new ServeRequest
        {
            Workload = text, FileName = "model.yaml", Workdir = await WorkdirUpload.SendAsync(output, api, model, null, cancellationToken), ReplicaConcurrency = 8,
            // Short windows, so that the demo shows within seconds what takes minutes otherwise.
            Scaling = new ScalingRequest { Min = 1, Max = 2, TargetConcurrency = 4, WindowSeconds = 6, ScaleDownDelaySeconds = 2 },
        };
        var began = Stopwatch.GetTimestamp();
        await api.PostAsync<ServeRequest, EndpointView>("endpoints", request, cancellationToken);
        var endpoint = await UntilAsync(e => e.Phase is "ready" or "failing", TimeSpan.FromSeconds(60), cancellationToken);
        if (endpoint.Phase != "ready")
            throw new CliException(ExitCodes.JobFailed, $"The endpoint is {endpoint.Phase}: {endpoint.Message} {endpoint.Events?.FirstOrDefault()?.Message}");
        output.Markup($"  [green]✓[/] endpoint '{Name}' answers on {Words.Escape(endpoint.Replicas![0].Node!)}{Words.SimulatedMark(endpoint.Replicas[0].Simulated)} after {Stopwatch.GetElapsedTime(began).TotalSeconds:0.0} s");
    }

    private async Task StreamAsync(HttpClient http, CancellationToken cancellationToken)
    {
        output.Line($"  POST {api.Server}/v1/completions, streamed:");
        var (text, began, first, count) = (new StringBuilder("The license "), Stopwatch.GetTimestamp(), TimeSpan.Zero, 0);
        await foreach (var piece in CompleteAsync(http, 64, cancellationToken))
        {
            if (count++ == 0)
                first = Stopwatch.GetElapsedTime(began);
            text.Append(piece);
        }
        var all = Stopwatch.GetElapsedTime(began);
        output.Markup($"    [grey]{Words.Escape(text.ToString().ReplaceLineEndings(" "))}[/]");
        output.Line($"  first token after {first.TotalMilliseconds:0} ms, then {(count - 1) / Math.Max(1e-3, (all - first).TotalSeconds):0} tokens/s");
    }

    /// <returns>Tokens per second of all clients together, while two replicas were there.</returns>
    private async Task<double> BurstAsync(HttpClient http, CancellationToken cancellationToken)
    {
        output.Line($"  a burst of {BurstClients} clients:");
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var (tokens, began) = (0L, Stopwatch.GetTimestamp());
        var clients = Enumerable.Range(0, BurstClients).Select(async _ =>
        {
            while (!stop.IsCancellationRequested)
            {
                await foreach (var piece in CompleteAsync(http, 128, CancellationToken.None))
                    Interlocked.Increment(ref tokens);
            }
        }).ToList();
        var grown = await UntilAsync(e => e.Ready == 2, s_longestBurst, cancellationToken);
        var (before, measured) = (Interlocked.Read(ref tokens), Stopwatch.GetTimestamp());
        await Task.Delay(TimeSpan.FromSeconds(3), cancellationToken);
        var rate = (Interlocked.Read(ref tokens) - before) / Stopwatch.GetElapsedTime(measured).TotalSeconds;
        await stop.CancelAsync();
        await Task.WhenAll(clients);
        output.Markup($"  [green]✓[/] {grown.Ready} replicas after {Stopwatch.GetElapsedTime(began, measured).TotalSeconds:0.0} s: {Words.Escape(Why(grown, "scaled"))}");
        output.Line($"    {rate:0} tokens/s together, both replicas on this machine's {Environment.ProcessorCount} cores");
        var ended = Stopwatch.GetTimestamp();
        var calm = await UntilAsync(e => e.Wanted == 1 && e.Replicas!.Count == 1, s_longestCalm, cancellationToken);
        output.Markup($"  [green]✓[/] {calm.Ready} replica again {Stopwatch.GetElapsedTime(ended).TotalSeconds:0.0} s after it: {Words.Escape(Why(calm, "scaled"))}");
        return rate;
    }

    private async Task PriceAsync(double tokensPerSecond, CancellationToken cancellationToken)
    {
        var endpoint = await api.GetAsync<EndpointView>($"endpoints/{Name}", cancellationToken);
        var here = (double)endpoint.Hourly.UsdPerHour / Math.Max(1, tokensPerSecond * 3600) * 1e6 * 2; // two replicas earned the rate
        var table = Output.NewTable("MODEL", "WHERE~", ">PRICE", ">TOKENS/S", ">PER MILLION");
        table.AddRow($"{Name} (int4)", "Edge/munich" + Words.SimulatedMark(true), (endpoint.Hourly * 2).ToString(), $"{tokensPerSecond:0}", $"${here:0.000}");
        var model = OpenModels.Find(Hosted) ?? throw new InvalidOperationException($"The catalogue has no {Hosted}.");
        var offers = (await LocalOffers.LoadAsync(cancellationToken)).Select(OfferView.From);
        if (OfferFits.Of(model, new FitNeed(), offers, spot: false, mostMachines: 1).Fits.FirstOrDefault(f => f.Price is not null) is { } fit)
        {
            table.AddRow($"{Hosted} (estimate)", Words.Escape($"{fit.Offer.Provider}/{fit.Offer.Region}, {fit.Offer.Accelerator}"), $"${fit.UsdPerHour:0.00}/h",
                $"{fit.Fit.OutputTokensPerSecond:0}", $"${fit.Price!.PerMillionOutput:0.000}");
        }
        output.Table(table);
        output.Line("  output tokens; the tiny model's rate is this machine's, at the played place's price");
    }

    private async IAsyncEnumerable<string> CompleteAsync(HttpClient http, int tokens, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var body = JsonSerializer.Serialize(new { model = Name, prompt = "The license ", max_tokens = tokens, temperature = 0.7, stream = true, ignore_eos = true });
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/completions") { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        await using var stream = await response.Content.ReadAsStreamAsync(cancellationToken);
        if (!response.IsSuccessStatusCode)
            throw new CliException(ExitCodes.Failure, $"The gateway answers {(int)response.StatusCode}: {await new StreamReader(stream).ReadToEndAsync(cancellationToken)}");
        await foreach (var item in SseParser.Create(stream).EnumerateAsync(cancellationToken))
        {
            if (item.Data == "[DONE]")
                yield break;
            var chunk = JsonNode.Parse(item.Data);
            if (chunk?["error"]?["message"] is { } error)
                throw new CliException(ExitCodes.Failure, (string)error!);
            if ((string?)(chunk?["choices"] as JsonArray)?.FirstOrDefault()?["text"] is { Length: > 0 } text)
                yield return text;
        }
    }

    private async Task<EndpointView> UntilAsync(Func<EndpointView, bool> condition, TimeSpan longest, CancellationToken cancellationToken)
    {
        var began = Stopwatch.GetTimestamp();
        while (true)
        {
            var endpoint = await api.GetAsync<EndpointView>($"endpoints/{Name}", cancellationToken);
            if (condition(endpoint) || Stopwatch.GetElapsedTime(began) > longest)
                return endpoint;
            await Task.Delay(TimeSpan.FromMilliseconds(100), cancellationToken);
        }
    }

    private static string Why(EndpointView endpoint, string kind) => endpoint.Events?.FirstOrDefault(e => e.Kind == kind)?.Message ?? endpoint.Message ?? "";
}
