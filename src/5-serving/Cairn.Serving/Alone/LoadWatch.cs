using Cairn.Contracts.Ids;
using Cairn.Serving.Gateway.Calls;
using Cairn.Serving.Gateway.Pools;
using Cairn.Serving.Gateways;
using Cairn.Serving.Rollouts;

namespace Cairn.Serving.Alone;

/// <summary>What changed of the load since the last report, and what of it goes on. One that is lost on the way is not told again: the next says how it is then.</summary>
internal sealed class LoadWatch(EndpointActivities activities, GatewayState state)
{
    private readonly Dictionary<(EndpointId, int), RevisionHealth> _told = [];
    private HashSet<EndpointId> _busy = [];

    public (IReadOnlyList<LoadReport> Loads, IReadOnlyList<ReplicaLoad> Replicas) Take()
    {
        var (loads, busy) = (new List<LoadReport>(), new HashSet<EndpointId>());
        foreach (var activity in activities.All)
        {
            var (load, arrived) = activity.Meter.Take();
            var revisions = activity.Revisions.Select(r => Since(activity.Meter.Endpoint, r.Key, r.Value.Health)).Where(r => r.Requests > 0).ToList();
            var times = new List<AnswerTimes>();
            while (activity.Times?.TryDequeue(out var one) == true)
                times.Add(one);
            if (!load.IsNone)
                busy.Add(activity.Meter.Endpoint);
            else if (arrived == 0 && revisions.Count == 0 && times.Count == 0 && !_busy.Contains(activity.Meter.Endpoint))
                continue;
            loads.Add(new LoadReport(activity.Meter.Endpoint, load.Running, load.Queued, load.TokensInFlight, arrived, times, revisions));
        }
        _busy = busy;
        return (loads, [.. state.Busy.Select(b => new ReplicaLoad(b.Task, b.Requests))]);
    }

    private RevisionReport Since(EndpointId endpoint, int revision, RevisionHealth health)
    {
        var before = _told.GetValueOrDefault((endpoint, revision));
        _told[(endpoint, revision)] = health;
        return new RevisionReport(revision, health.Requests - before.Requests, health.Failures - before.Failures);
    }
}
