using System.Collections.Concurrent;
using Cairn.Contracts.Ids;
using Cairn.Serving.Gateway.Calls;
using Cairn.Serving.Gateway.Pools;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Cairn.Serving.Endpoints;

/// <summary>
/// Reads the metrics of ready replicas that serve a model and hands them to the gateway: every second, or as often as a hundred of them
/// per second allow. One that has none is asked again once a minute. Nothing depends on an answer: what is older than half a minute does
/// not count.
/// </summary>
internal sealed partial class EngineWatch(Upstream upstream, GatewayState gateway, IHostApplicationLifetime host, ILogger<EngineWatch> logger, TimeProvider time) : IDisposable
{
    private const int MostBytes = 1 << 20;
    private const double MostPerSecond = 100;
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan s_seldom = TimeSpan.FromMinutes(1);
    private readonly ConcurrentDictionary<TaskId, CancellationTokenSource> _all = new();

    /// <summary>Watches these from now on, and no others.</summary>
    public void Watch(IEnumerable<ProbeTarget> targets)
    {
        var wanted = targets.Where(t => t.Replica.Ready && t.Model is not null).ToDictionary(t => t.Replica.Task);
        foreach (var (task, stop) in _all)
        {
            if (!wanted.ContainsKey(task) && _all.TryRemove(task, out _))
                stop.Cancel();
        }
        foreach (var (task, target) in wanted)
        {
            var stop = new CancellationTokenSource();
            if (_all.TryAdd(task, stop))
                _ = RunAsync(target, stop.Token);
        }
    }

    public void Dispose()
    {
        foreach (var stop in _all.Values)
            stop.Cancel();
        _all.Clear();
    }

    private async Task RunAsync(ProbeTarget target, CancellationToken cancellationToken)
    {
        try
        {
            await Task.Yield();
            while (true)
            {
                var speaks = false;
                foreach (var path in EngineMetrics.Paths)
                {
                    if (await AskAsync(target, path, cancellationToken))
                    {
                        speaks = true;
                        break;
                    }
                }
                await Task.Delay(speaks ? TimeSpan.FromSeconds(Math.Max(1, _all.Count / MostPerSecond)) : s_seldom, time, cancellationToken);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Nobody asks about it any more.
        }
        catch (Exception error)
        {
            LogDeath(logger, error, target.Replica.Task);
            host.StopApplication();
        }
    }

    /// <returns>Whether an engine's metrics are there.</returns>
    private async Task<bool> AskAsync(ProbeTarget target, string path, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(s_patience);
        try
        {
            var before = gateway.InFlight(target.Replica.Task);
            using var request = new HttpRequestMessage(HttpMethod.Get, Upstream.AddressOf(target.Replica, path));
            using var response = await upstream.SendAsync(request, patience.Token);
            if (!response.IsSuccessStatusCode)
                return false;
            await response.Content.LoadIntoBufferAsync(MostBytes, patience.Token);
            if (EngineMetrics.Read(await response.Content.ReadAsStringAsync(patience.Token)) is not { } report)
                return false;
            gateway.Report(target.Replica.Task, report, before, time.GetUtcNow());
            return true;
        }
        catch (Exception failed) when (failed is HttpRequestException or IOException || (failed is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return false;
        }
    }
}
