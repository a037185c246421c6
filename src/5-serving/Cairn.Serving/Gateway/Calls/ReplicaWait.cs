using System.Runtime.InteropServices;
using Cairn.Serving.Gateway.Pools;
using Cairn.Serving.Gateway.Routing;
using Cairn.Serving.Gateway.Snapshots;
using Microsoft.AspNetCore.Http;

namespace Cairn.Serving.Gateway.Calls;

/// <summary>A replica that was chosen for a request.</summary>
/// <param name="Occupancy">The place there, which whoever asked for it ends.</param>
/// <param name="Record">Why it.</param>
internal sealed record FoundReplica(Occupancy Occupancy, PoolTarget Target, AttemptRecord Record)
{
    public ReplicaState Replica => Occupancy.Replica;
}

/// <summary>
/// Finds a replica for a request whose body the gateway does not read: a revision by weight, and one of its replicas. Where none is ready it waits for the first, for the
/// route's hold time, and counts as queued meanwhile: that is what wakes a sleeping endpoint. For another, after one was tried, it does not wait.
/// </summary>
internal sealed class ReplicaWait(GatewayState state, EndpointActivities activities, IWakesEndpoints waker, GatewayOptions options, TimeProvider time)
{
    private static readonly TimeSpan s_look = TimeSpan.FromSeconds(1);
    private readonly Dice _dice = new();

    /// <summary>What keeps a client's requests at one replica; 0 where it does not ask for that.</summary>
    public static ulong SessionOf(HttpRequest request, GatewayKey key) =>
        request.Headers["x-session-id"] is [{ Length: > 0 and <= 256 } named] ? PrefixHashes.Seed(key.Project.ToString(), named) | 1 : 0;

    /// <param name="tried">Slots that failed this request.</param>
    /// <param name="session">From <see cref="SessionOf"/>.</param>
    /// <returns>Null where none came in time, or every ready one was tried.</returns>
    public async Task<FoundReplica?> FindAsync(ModelRoute asked, List<int> tried, ulong session, CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        while (true)
        {
            var changed = state.Changed;
            var route = state.FindRoute(asked.Name);
            if (route is not null && Choose(route, tried, session) is { } found)
                return found;
            var left = asked.HoldTime - time.GetElapsedTime(began);
            if (left <= TimeSpan.Zero || tried.Count > 0)
                return null;
            await QueueAsync(route, changed, left < s_look ? left : s_look, cancellationToken);
        }
    }

    private async Task QueueAsync(CompiledRoute? route, Task changed, TimeSpan longest, CancellationToken cancellationToken)
    {
        var meters = (route?.Pools ?? []).OfType<ReplicaPool>().Select(p => activities.MeterOf(p.Target.Endpoint)).Distinct().ToList();
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

    private FoundReplica? Choose(CompiledRoute route, List<int> tried, ulong session)
    {
        var request = new RoutingRequest { Tried = CollectionsMarshal.AsSpan(tried), SessionHash = session };
        var given = Array.ConvertAll(route.Pools, p => p is null);
        var dice = _dice.Roll();
        int at;
        while ((at = TargetChoice.Pick(route.Route.Targets, given, dice, session)) >= 0)
        {
            var pool = route.Pools[at]!;
            while (pool.Choose(options.Routing, in request, dice, time.GetUtcNow(), out var decision) is { } replica)
            {
                if (Occupancy.TryBegin(replica, pool.Target, activities, tokens: 0, time) is { } occupancy)
                    return new FoundReplica(occupancy, pool.Target, new AttemptRecord(pool.Name, decision, pool));
            }
            given[at] = true;
        }
        return null;
    }
}
