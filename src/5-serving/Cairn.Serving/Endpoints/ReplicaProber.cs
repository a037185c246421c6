using System.Collections.Concurrent;
using System.Net;
using System.Text;
using System.Text.Json;
using Cairn.Contracts.Ids;
using Cairn.Serving.Gateway.Calls;
using Cairn.Serving.Gateway.Snapshots;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Cairn.Serving.Endpoints;

/// <summary>What is asked of a replica.</summary>
/// <param name="Path">The path that answers 2xx when it is ready; null where any answer will do.</param>
/// <param name="Model">Where not null, it is ready only after it has generated a token of this model.</param>
internal sealed record ProbeTarget(ReplicaSpec Replica, string? Path, string? Model);

/// <summary>What a probe last came to.</summary>
internal sealed record ProbeResult(bool Ready, string? Message, float LatencyMs);

/// <summary>
/// Asks replicas whether they answer: often while they start, seldom after. A model's replica is ready only after a real inference; three failures in a row make one unready.
/// </summary>
internal sealed partial class ReplicaProber(Upstream upstream, IHostApplicationLifetime host, ILogger<ReplicaProber> logger, TimeProvider time) : IDisposable
{
    private const int FailuresToUnready = 3;
    private static readonly TimeSpan s_often = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan s_seldom = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan s_inferencePatience = TimeSpan.FromMinutes(2);
    private readonly ConcurrentDictionary<TaskId, Probing> _all = new();

    /// <summary>A replica became ready or unready. Handlers are short.</summary>
    public event Action? Changed;

    public ProbeResult? Of(TaskId task) => _all.GetValueOrDefault(task)?.Result;

    /// <summary>Probes these from now on, and no others.</summary>
    public void Watch(IReadOnlyCollection<ProbeTarget> targets)
    {
        var wanted = targets.ToDictionary(t => t.Replica.Task);
        foreach (var (task, probing) in _all)
        {
            if (!wanted.ContainsKey(task) && _all.TryRemove(task, out _))
                probing.Stop.Cancel();
        }
        foreach (var (task, target) in wanted)
        {
            if (_all.ContainsKey(task))
                continue;
            var probing = new Probing(target);
            _all[task] = probing;
            _ = RunAsync(probing);
        }
    }

    public void Dispose()
    {
        foreach (var probing in _all.Values)
            probing.Stop.Cancel();
        _all.Clear();
    }

    private async Task RunAsync(Probing probing)
    {
        var (began, failures) = (time.GetTimestamp(), 0);
        var task = probing.Target.Replica.Task;
        try
        {
            await Task.Yield();
            while (true)
            {
                var (error, latency) = await ProbeAsync(probing.Target, probing.Result.Ready, probing.Stop.Token);
                failures = error is null ? 0 : failures + 1;
                var was = probing.Result.Ready;
                var ready = error is null || (was && failures < FailuresToUnready);
                probing.Result = new ProbeResult(ready, error, error is null ? Math.Min(latency, was ? probing.Result.LatencyMs * 1.2f : latency) : probing.Result.LatencyMs);
                if (ready != was)
                {
                    if (ready)
                        LogReady(logger, task, (long)time.GetElapsedTime(began).TotalMilliseconds);
                    else
                        LogUnready(logger, task, error!);
                    Changed?.Invoke();
                }
                // What starts is asked often at first, and less often the longer it takes.
                var pause = ready && failures == 0 ? s_seldom : TimeSpan.FromTicks(Math.Clamp((time.GetElapsedTime(began) / 20).Ticks, s_often.Ticks, TimeSpan.TicksPerSecond));
                await Task.Delay(pause, time, probing.Stop.Token);
            }
        }
        catch (OperationCanceledException) when (probing.Stop.IsCancellationRequested)
        {
            // Nobody asks about it any more.
        }
        catch (Exception error)
        {
            LogDeath(logger, error, task);
            host.StopApplication();
        }
    }

    /// <returns>Why it is not ready; null where it is.</returns>
    private async Task<(string? Error, float LatencyMs)> ProbeAsync(ProbeTarget target, bool wasReady, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(s_patience);
        try
        {
            var sent = time.GetTimestamp();
            using var request = new HttpRequestMessage(HttpMethod.Get, Upstream.AddressOf(target.Replica, target.Path ?? "/health"));
            using var response = await upstream.SendAsync(request, patience.Token);
            var latency = (float)time.GetElapsedTime(sent).TotalMilliseconds;
            if (target.Path is not null && !response.IsSuccessStatusCode)
                return ($"{target.Path} answers {(int)response.StatusCode}", latency);
            if (target.Path is null && (int)response.StatusCode >= 500)
                return ($"it answers {(int)response.StatusCode}", latency);
            if (target.Model is null || wasReady)
                return (null, latency);
            patience.CancelAfter(s_inferencePatience);
            return (await InferAsync(target, patience.Token), latency);
        }
        catch (Exception failed) when (failed is HttpRequestException or IOException || (failed is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return (failed is OperationCanceledException ? "it does not answer in time" : failed.Message, 0);
        }
    }

    private async Task<string?> InferAsync(ProbeTarget target, CancellationToken cancellationToken)
    {
        var body = JsonSerializer.Serialize(new { model = target.Model, messages = new[] { new { role = "user", content = "Hi" } }, max_tokens = 1 });
        var status = await PostAsync(target, "/v1/chat/completions", body, cancellationToken);
        // A model without a chat template completes; one that only embeds does that.
        if (status is HttpStatusCode.BadRequest or HttpStatusCode.NotFound)
            status = await PostAsync(target, "/v1/completions", JsonSerializer.Serialize(new { model = target.Model, prompt = "Hi", max_tokens = 1 }), cancellationToken);
        if (status is HttpStatusCode.BadRequest or HttpStatusCode.NotFound)
            status = await PostAsync(target, "/v1/embeddings", JsonSerializer.Serialize(new { model = target.Model, input = "Hi" }), cancellationToken);
        return status == HttpStatusCode.OK ? null : $"an inference of '{target.Model}' answers {(int)status}";
    }

    private async Task<HttpStatusCode> PostAsync(ProbeTarget target, string path, string body, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, Upstream.AddressOf(target.Replica, path))
        {
            Content = new StringContent(body, Encoding.UTF8, "application/json"),
        };
        using var response = await upstream.SendAsync(request, cancellationToken);
        await response.Content.LoadIntoBufferAsync(1 << 20, cancellationToken);
        return response.StatusCode;
    }

    private sealed class Probing(ProbeTarget target)
    {
        public ProbeTarget Target { get; } = target;

        public CancellationTokenSource Stop { get; } = new();

        public ProbeResult Result { get; set; } = new(false, "not asked yet", 0);
    }
}
