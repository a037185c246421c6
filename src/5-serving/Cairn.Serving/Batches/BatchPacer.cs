using Cairn.Serving.Gateway.Calls;
using Cairn.Serving.Gateway.Pools;
using Cairn.Serving.Gateway.Snapshots;

namespace Cairn.Serving.Batches;

/// <summary>Lets lines go one by one, as <see cref="BatchPace"/> allows, and bounds those of this server.</summary>
internal sealed class BatchPacer(GatewayState gateway, EndpointActivities activities, BatchOptions options, TimeProvider time)
{
    private static readonly TimeSpan s_look = TimeSpan.FromMilliseconds(100);
    private readonly SemaphoreSlim _slots = new(options.LinesAtOnce);
    private readonly Lock _lock = new();
    private readonly Dictionary<ModelName, int> _running = [];

    /// <summary>Waits for room; disposing gives it back.</summary>
    public async Task<IDisposable> EnterAsync(ModelName model, CancellationToken cancellationToken)
    {
        while (true)
        {
            await _slots.WaitAsync(cancellationToken);
            if (TryBegin(model))
                return new Place(this, model);
            _slots.Release();
            // A waiting line keeps no other model's from going.
            await Task.Delay(s_look, time, cancellationToken);
        }
    }

    private bool TryBegin(ModelName model)
    {
        lock (_lock)
        {
            var running = _running.GetValueOrDefault(model);
            if (!BatchPace.HasRoom(Look(model, running), options.LinesPerReplica))
                return false;
            _running[model] = running + 1;
            return true;
        }
    }

    private void End(ModelName model)
    {
        lock (_lock)
        {
            if (--_running[model] == 0)
                _running.Remove(model);
        }
        _slots.Release();
    }

    private PaceFacts Look(ModelName model, int running)
    {
        var pools = (gateway.FindRoute(model)?.Pools ?? []).OfType<ReplicaPool>().ToList();
        var ready = pools.SelectMany(p => p.Replicas).Where(r => r.Spec is { Ready: true, Draining: false }).ToList();
        var waiting = pools.Select(p => p.Target.Endpoint).Distinct().Sum(e => activities.MeterOf(e).Queued);
        var capacity = ready.Exists(r => r.Spec.MostRequests == 0) ? 0 : ready.Sum(r => r.Spec.MostRequests);
        return new PaceFacts(pools.Count > 0, ready.Count, waiting, ready.Sum(r => r.Requests), capacity, running);
    }

    private sealed class Place(BatchPacer pacer, ModelName model) : IDisposable
    {
        private int _left;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _left, 1) == 0)
                pacer.End(model);
        }
    }
}
