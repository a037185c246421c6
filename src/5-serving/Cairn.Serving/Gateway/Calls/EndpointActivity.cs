using System.Collections.Concurrent;
using Cairn.Contracts.Ids;
using Cairn.Serving.Rollouts;

namespace Cairn.Serving.Gateway.Calls;

/// <summary>Brings a sleeping endpoint's first replica. Called often; the one who does it sees to it that it is done once.</summary>
public interface IWakesEndpoints
{
    void Wake(EndpointId endpoint);
}

/// <summary>Every endpoint's meter and line of waiting requests.</summary>
public sealed class EndpointActivities(TimeProvider time)
{
    private readonly ConcurrentDictionary<EndpointId, EndpointActivity> _all = new();

    public IEnumerable<EndpointMeter> Meters => _all.Values.Select(a => a.Meter);

    public EndpointMeter MeterOf(EndpointId endpoint) => Of(endpoint).Meter;

    /// <summary>Forgets an endpoint that is gone.</summary>
    public void Forget(EndpointId endpoint) => _all.TryRemove(endpoint, out _);

    internal RevisionHealth HealthOf(EndpointId endpoint, int revision) => Of(endpoint).Revision(revision).Health;

    internal EndpointActivity Of(EndpointId endpoint) => _all.GetOrAdd(endpoint, static (id, clock) => new EndpointActivity(new EndpointMeter(id, clock)), time);
}

/// <summary>One endpoint's meter, and those that wait for a replica with room: first come, first woken.</summary>
internal sealed class EndpointActivity(EndpointMeter meter)
{
    private readonly Lock _lock = new();
    private readonly LinkedList<TaskCompletionSource> _waiting = new();

    public EndpointMeter Meter { get; } = meter;

    private readonly ConcurrentDictionary<int, RevisionMeter> _revisions = new();

    public RevisionMeter Revision(int number) => _revisions.GetOrAdd(number, static _ => new RevisionMeter());

    /// <summary>Joins the line.</summary>
    /// <returns>A place that is woken once; null where the line is full.</returns>
    public LinkedListNode<TaskCompletionSource>? Join(int most)
    {
        lock (_lock)
        {
            return _waiting.Count >= most ? null : _waiting.AddLast(new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        }
    }

    /// <summary>Leaves the line, woken or not. One that was woken and leaves without using the room wakes the next.</summary>
    public void Leave(LinkedListNode<TaskCompletionSource> place, bool used)
    {
        var pass = false;
        lock (_lock)
        {
            if (place.List is not null)
                _waiting.Remove(place);
            else
                pass = !used;
        }
        if (pass)
            Freed();
    }

    /// <summary>A replica has room for one more.</summary>
    public void Freed()
    {
        TaskCompletionSource? first = null;
        lock (_lock)
        {
            if (_waiting.First is { } place)
            {
                first = place.Value;
                _waiting.Remove(place);
            }
        }
        first?.TrySetResult();
    }
}
