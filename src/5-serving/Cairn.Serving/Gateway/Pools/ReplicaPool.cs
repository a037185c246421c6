using Cairn.Serving.Gateway.Routing;
using Cairn.Serving.Gateway.Snapshots;

namespace Cairn.Serving.Gateway.Pools;

/// <summary>The replicas of one revision of an endpoint, in the order of their slots; immutable but for what each replica counts.</summary>
internal sealed class ReplicaPool(PoolTarget target, ReplicaState[] replicas)
{
    [ThreadStatic]
    private static ReplicaView[]? t_views;

    public PoolTarget Target { get; } = target;

    /// <summary>In words.</summary>
    public string Name { get; } = $"revision {target.Revision}";

    public ReplicaState[] Replicas { get; } = replicas;

    /// <summary>Chooses a replica for a request.</summary>
    /// <returns>The replica, or null where none may take it; <paramref name="decision"/> tells why.</returns>
    public ReplicaState? Choose(RoutingOptions options, scoped in RoutingRequest request, ulong dice, DateTimeOffset now, out RouteDecision decision)
    {
        var replicas = Replicas;
        var views = t_views;
        if (views is null || views.Length < replicas.Length)
            t_views = views = new ReplicaView[Math.Max(64, replicas.Length)];
        for (var i = 0; i < replicas.Length; i++)
            replicas[i].View(ref views[i], now);
        decision = Router.Choose(options, views.AsSpan(0, replicas.Length), in request, dice);
        return decision.Outcome == RouteOutcome.Chosen ? replicas[decision.Choice.Index] : null;
    }
}
