using Cairn.Serving.Gateway.Pools;
using Cairn.Serving.Gateway.Snapshots;

namespace Cairn.Serving.Gateway.Calls;

/// <summary>A request at a replica, which counts there, at its endpoint and at its revision from its beginning to its end.</summary>
internal sealed class Occupancy
{
    private readonly ReplicaState _replica;
    private readonly EndpointActivity _activity;
    private readonly int _revision;
    private readonly long _tokens;
    private readonly TimeProvider _time;
    private long _left;
    private bool _ended;

    private Occupancy(ReplicaState replica, PoolTarget target, EndpointActivities activities, long tokens, TimeProvider time)
    {
        (_replica, _activity, _revision, _tokens, _left, _time) = (replica, activities.Of(target.Endpoint), target.Revision, tokens, tokens, time);
        _activity.Meter.Changed(running: 1, tokens: tokens);
    }

    public ReplicaState Replica => _replica;

    /// <summary>Begins it.</summary>
    /// <param name="tokens">The work that it brings; 0 where nobody knows.</param>
    /// <param name="adapter">The bit of the adapter that it is for; 0 for none.</param>
    /// <returns>Null where the replica was filled since it was chosen: choose again.</returns>
    public static Occupancy? TryBegin(ReplicaState replica, PoolTarget target, EndpointActivities activities, long tokens, TimeProvider time, ulong adapter = 0) =>
        replica.TryBegin(tokens, adapter) ? new Occupancy(replica, target, activities, tokens, time) : null;

    /// <summary>Part of the work is done; what would be more than is left counts for nothing.</summary>
    public void Did(long tokens)
    {
        if (tokens > _left)
            return;
        _left -= tokens;
        _replica.Did(tokens);
    }

    /// <summary>Ends it; later calls change nothing.</summary>
    public void End(AttemptEnd end)
    {
        if (_ended)
            return;
        _ended = true;
        _replica.End(_left, end, _time.GetUtcNow());
        _activity.Meter.Changed(running: -1, tokens: -_tokens);
        _activity.Revision(_revision).Ended(end);
        _activity.Freed();
    }
}
