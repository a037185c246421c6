using System.Runtime.InteropServices;
using Cairn.Serving.Gateway.Pools;
using Cairn.Serving.Gateway.Routing;
using Cairn.Serving.Gateway.Snapshots;

namespace Cairn.Serving.Gateway.Calls;

/// <summary>
/// Finds a replica for a request whose body the gateway does not read. Where none is ready it waits for the first, for the route's hold time, and counts as queued
/// meanwhile: that is what wakes a sleeping endpoint. For another, after one was tried, it does not wait.
/// </summary>
internal sealed class ReplicaWait(GatewayState state, EndpointActivities activities, IWakesEndpoints waker, GatewayOptions options, TimeProvider time)
{
    private static readonly TimeSpan s_look = TimeSpan.FromSeconds(1);
    private readonly Dice _dice = new();

    /// <returns>Null where none came in time, or every ready one was tried.</returns>
    public async Task<(ReplicaState Replica, PoolTarget Target)?> FindAsync(ModelRoute asked, List<int> tried, CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        while (true)
        {
            var changed = state.Changed;
            var pools = (state.FindRoute(asked.Name)?.Pools ?? []).OfType<ReplicaPool>().OrderByDescending(p => p.Target.Weight).ToList();
            foreach (var pool in pools)
            {
                if (Choose(pool, tried) is { } replica)
                    return (replica, pool.Target);
            }
            var left = asked.HoldTime - time.GetElapsedTime(began);
            if (left <= TimeSpan.Zero || tried.Count > 0)
                return null;
            await QueueAsync(pools, changed, left < s_look ? left : s_look, cancellationToken);
        }
    }

    private async Task QueueAsync(List<ReplicaPool> pools, Task changed, TimeSpan longest, CancellationToken cancellationToken)
    {
        var meters = pools.Select(p => activities.MeterOf(p.Target.Endpoint)).Distinct().ToList();
        meters.ForEach(m => m.Changed(queued: 1));
        try
        {
            meters.ForEach(m => waker.Wake(m.Endpoint));
            await Task.WhenAny(changed, Task.Delay(longest, time, cancellationToken));
            cancellationToken.ThrowIfCancellationRequested();
        }
        finally
        {
            meters.ForEach(m => m.Changed(queued: -1));
        }
    }

    private ReplicaState? Choose(ReplicaPool pool, List<int> tried)
    {
        var request = new RoutingRequest { Tried = CollectionsMarshal.AsSpan(tried) };
        return pool.Choose(options.Routing, in request, _dice.Roll(), time.GetUtcNow(), out _);
    }
}
