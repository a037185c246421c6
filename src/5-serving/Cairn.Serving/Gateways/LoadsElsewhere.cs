using System.Collections.Concurrent;
using Cairn.Contracts.Ids;
using Cairn.Serving.Autoscaling;
using Cairn.Serving.Gateway.Calls;

namespace Cairn.Serving.Gateways;

/// <summary>What other gateways have to do, for the autoscaler and for replicas that drain. A gateway that falls silent counts no more.</summary>
internal sealed class LoadsElsewhere(EndpointActivities activities, TimeProvider time)
{
    private static readonly TimeSpan s_fresh = TimeSpan.FromSeconds(15);
    private readonly ConcurrentDictionary<Guid, Told> _told = new();
    private readonly Lock _adding = new();

    /// <summary>Requests that a replica has from other gateways.</summary>
    public int InFlight(TaskId task) => _told.Values.Sum(told => told.Replicas.GetValueOrDefault(task));

    public void Take(Guid gateway, IReadOnlyList<LoadReport> loads, IReadOnlyList<ReplicaLoad> replicas)
    {
        var told = new Told(time.GetUtcNow(), loads.GroupBy(l => l.Endpoint).ToDictionary(g => g.Key, g => g.Last()),
            replicas.GroupBy(r => r.Task).ToDictionary(g => g.Key, g => g.Last().Requests));
        var before = _told.GetValueOrDefault(gateway);
        _told[gateway] = told;
        foreach (var endpoint in told.Loads.Keys.Union(before?.Loads.Keys ?? Enumerable.Empty<EndpointId>()))
            Add(endpoint, told.Loads.GetValueOrDefault(endpoint));
    }

    /// <summary>Forgets those that fell silent.</summary>
    public void Sweep()
    {
        var now = time.GetUtcNow();
        foreach (var (gateway, told) in _told)
        {
            if (now - told.At <= s_fresh || !_told.TryRemove(new KeyValuePair<Guid, Told>(gateway, told)))
                continue;
            foreach (var endpoint in told.Loads.Keys)
                Add(endpoint, null);
        }
    }

    private void Add(EndpointId endpoint, LoadReport? report)
    {
        lock (_adding)
        {
            var all = _told.Values.Select(told => told.Loads.GetValueOrDefault(endpoint)).OfType<LoadReport>().ToList();
            var activity = activities.Of(endpoint);
            activity.Meter.Told(new Load(all.Sum(l => l.Running), all.Sum(l => l.Queued), all.Sum(l => l.Tokens)), report?.Arrived ?? 0);
            foreach (var (revision, first, each) in report?.Times ?? [])
                activity.Answered(revision, first, each);
            foreach (var (revision, requests, failures) in report?.Revisions ?? [])
                activity.Revision(revision).Elsewhere(requests, failures);
        }
    }

    private sealed record Told(DateTimeOffset At, Dictionary<EndpointId, LoadReport> Loads, Dictionary<TaskId, int> Replicas);
}
