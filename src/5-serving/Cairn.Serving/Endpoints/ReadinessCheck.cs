using System.Net;
using System.Text;
using System.Text.Json;
using Cairn.Contracts.Workloads;
using Cairn.Serving.Gateway.Calls;
using Cairn.Serving.Gateway.Snapshots;

namespace Cairn.Serving.Endpoints;

/// <summary>What is asked of a replica.</summary>
/// <param name="Service">What its workload says of readiness.</param>
/// <param name="Model">Where not null, it is ready only after it has generated a token of this model.</param>
internal sealed record ProbeTarget(ReplicaSpec Replica, ServiceSpec? Service, string? Model)
{
    /// <summary>Nobody named the model: the replica is asked for it, and where it is no server of models it need not generate any.</summary>
    public bool GuessesModel { get; init; }
}

/// <summary>Asks a replica once whether it answers, and a model's replica for a token.</summary>
internal sealed class ReadinessCheck(Upstream upstream, TimeProvider time)
{
    private const int MostAnswerBytes = 1 << 20;
    private static readonly TimeSpan s_inferencePatience = TimeSpan.FromMinutes(2);

    /// <returns>Why it is not ready, null where it is; the round trip; and the model that it says it serves, as
    /// <see cref="ProbeResult.Served"/>.</returns>
    public async Task<(string? Error, float LatencyMs, string? Served)> AskAsync(ProbeTarget target, bool wasReady, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(TimeSpan.FromSeconds(target.Service?.ReadinessTimeoutSeconds ?? 10));
        try
        {
            var sent = time.GetTimestamp();
            using var request = Question(target);
            using var response = await upstream.SendAsync(request, patience.Token);
            var latency = (float)time.GetElapsedTime(sent).TotalMilliseconds;
            if (target.Service?.ReadinessPath is { } path && !response.IsSuccessStatusCode)
                return ($"{path} answers {(int)response.StatusCode}", latency, null);
            if (target.Service?.ReadinessPath is null && (int)response.StatusCode >= 500)
                return ($"it answers {(int)response.StatusCode}", latency, null);
            if (target.Model is null || wasReady)
                return (null, latency, null);
            patience.CancelAfter(s_inferencePatience);
            if (!target.GuessesModel)
                return (await InferAsync(target, target.Model, patience.Token), latency, null);
            var served = await ModelAsync(target, patience.Token);
            return (served is null ? null : await InferAsync(target, served, patience.Token), latency, served ?? "");
        }
        catch (Exception failed) when (failed is HttpRequestException or IOException || (failed is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return (failed is OperationCanceledException ? "it does not answer in time" : failed.Message, 0, null);
        }
    }

    private static HttpRequestMessage Question(ProbeTarget target)
    {
        var service = target.Service;
        var request = new HttpRequestMessage(HttpMethod.Get, Upstream.AddressOf(target.Replica, service?.ReadinessPath ?? "/health"));
        if (service?.ReadinessBody is { } body)
            (request.Method, request.Content) = (HttpMethod.Post, new StringContent(body, Encoding.UTF8, "application/json"));
        foreach (var (name, value) in service?.ReadinessHeaders ?? new Dictionary<string, string>())
        {
            if (!request.Headers.TryAddWithoutValidation(name, value) && request.Content is { } content)
            {
                content.Headers.Remove(name);
                content.Headers.TryAddWithoutValidation(name, value);
            }
        }
        return request;
    }

    /// <summary>
    /// The model's own name for itself among those of OpenAI's list: the expected one, else the first. Null where there is no such list.
    /// </summary>
    private async Task<string?> ModelAsync(ProbeTarget target, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, Upstream.AddressOf(target.Replica, "/v1/models"));
        using var response = await upstream.SendAsync(request, cancellationToken);
        if (!response.IsSuccessStatusCode)
            return null;
        try
        {
            await response.Content.LoadIntoBufferAsync(MostAnswerBytes, cancellationToken);
            using var list = JsonDocument.Parse(await response.Content.ReadAsByteArrayAsync(cancellationToken));
            return Choose(list.RootElement, target.Model!);
        }
        catch (Exception other) when (other is JsonException or HttpRequestException)
        {
            return null;
        }
    }

    /// <summary>The expected one of OpenAI's list of models, else the first; null where it is no such list.</summary>
    internal static string? Choose(JsonElement list, string expected)
    {
        if (list.ValueKind != JsonValueKind.Object || !list.TryGetProperty("data", out var data) || data.ValueKind != JsonValueKind.Array)
            return null;
        var names = data.EnumerateArray()
            .Select(m => m.ValueKind == JsonValueKind.Object && m.TryGetProperty("id", out var id) && id.ValueKind == JsonValueKind.String ? id.GetString() : null)
            .Where(name => name is { Length: > 0 }).ToList();
        return names.Contains(expected) ? expected : names.FirstOrDefault();
    }

    private async Task<string?> InferAsync(ProbeTarget target, string model, CancellationToken cancellationToken)
    {
        var body = JsonSerializer.Serialize(new { model, messages = new[] { new { role = "user", content = "Hi" } }, max_tokens = 1 });
        var status = await PostAsync(target, "/v1/chat/completions", body, cancellationToken);
        // A model without a chat template completes; one that only embeds does that.
        if (status is HttpStatusCode.BadRequest or HttpStatusCode.NotFound)
            status = await PostAsync(target, "/v1/completions", JsonSerializer.Serialize(new { model, prompt = "Hi", max_tokens = 1 }), cancellationToken);
        if (status is HttpStatusCode.BadRequest or HttpStatusCode.NotFound)
            status = await PostAsync(target, "/v1/embeddings", JsonSerializer.Serialize(new { model, input = "Hi" }), cancellationToken);
        // What a model of tensors takes, nobody can guess: there its own word counts, which the Open Inference Protocol has a path for.
        if (status is HttpStatusCode.BadRequest or HttpStatusCode.NotFound)
            status = await ReadyAsync(target, model, cancellationToken);
        return status == HttpStatusCode.OK ? null : $"an inference of '{model}' answers {(int)status}";
    }

    private async Task<HttpStatusCode> ReadyAsync(ProbeTarget target, string model, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, Upstream.AddressOf(target.Replica, $"/v2/models/{Uri.EscapeDataString(model)}/ready"));
        using var response = await upstream.SendAsync(request, cancellationToken);
        return response.StatusCode;
    }

    private async Task<HttpStatusCode> PostAsync(ProbeTarget target, string path, string body, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, Upstream.AddressOf(target.Replica, path))
        {
            Content = new StringContent(body, Encoding.UTF8, "application/json"),
        };
        using var response = await upstream.SendAsync(request, cancellationToken);
        await response.Content.LoadIntoBufferAsync(MostAnswerBytes, cancellationToken);
        return response.StatusCode;
    }
}
