using System.Collections.Concurrent;
using Cairn.Contracts.Ids;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Cairn.Serving.Endpoints;

/// <summary>What a probe last came to.</summary>
internal sealed record ProbeResult(bool Ready, string? Message, float LatencyMs)
{
    /// <summary>The model that it said it serves; empty where it serves none, null where it was not asked.</summary>
    public string? Served { get; init; }

    /// <summary>How long it has been asked.</summary>
    public TimeSpan Probed { get; init; }

    /// <summary>Failures in a row, up to now.</summary>
    public int Failures { get; init; }
}

/// <summary>
/// Asks replicas whether they answer: often while they start, seldom after. A model's replica is ready only after a real inference; three
/// failures in a row make one unready.
/// </summary>
internal sealed partial class ReplicaProber(ReadinessCheck check, IHostApplicationLifetime host, ILogger<ReplicaProber> logger, TimeProvider time) : IDisposable
{
    public const int FailuresToUnready = 3;
    private static readonly TimeSpan s_often = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan s_seldom = TimeSpan.FromSeconds(5);
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
                var (error, latency, served) = await check.AskAsync(probing.Target, probing.Result.Ready, probing.Stop.Token);
                failures = error is null ? 0 : failures + 1;
                var was = probing.Result.Ready;
                var ready = error is null || (was && failures < FailuresToUnready);
                var last = probing.Result;
                probing.Result = new ProbeResult(ready, error, error is null ? Math.Min(latency, was ? last.LatencyMs * 1.2f : latency) : last.LatencyMs)
                {
                    Served = served ?? last.Served, Probed = time.GetElapsedTime(began), Failures = failures,
                };
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

    private sealed class Probing(ProbeTarget target)
    {
        public ProbeTarget Target { get; } = target;

        public CancellationTokenSource Stop { get; } = new();

        public ProbeResult Result { get; set; } = new(false, "not asked yet", 0);
    }
}
