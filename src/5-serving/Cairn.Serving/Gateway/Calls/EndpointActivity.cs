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
/// <param name="time">Tells the time.</param>
/// <param name="keepsTimes">Whether answers' times are kept for who tells them on.</param>
public sealed class EndpointActivities(TimeProvider time, bool keepsTimes = false)
{
    private readonly ConcurrentDictionary<EndpointId, EndpointActivity> _all = new();

    public IEnumerable<EndpointMeter> Meters => _all.Values.Select(a => a.Meter);

    public EndpointMeter MeterOf(EndpointId endpoint) => Of(endpoint).Meter;

    /// <summary>Forgets an endpoint that is gone.</summary>
    public void Forget(EndpointId endpoint) => _all.TryRemove(endpoint, out _);

    internal IEnumerable<EndpointActivity> All => _all.Values;

    internal RevisionHealth HealthOf(EndpointId endpoint, int revision) => Of(endpoint).Revision(revision).Health;

    internal EndpointActivity Of(EndpointId endpoint) => _all.GetOrAdd(endpoint, static (id, of) =>
        new EndpointActivity(new EndpointMeter(id, of.Time), of.Keeps ? new ConcurrentQueue<AnswerTimes>() : null), (Time: time, Keeps: keepsTimes));
}

/// <summary>How long an answer of a revision took, in milliseconds; null where it has no such time.</summary>
internal readonly record struct AnswerTimes(int Revision, double? FirstTokenMs, double? EachTokenMs);

/// <summary>One endpoint's meter, and those that wait for a replica with room: first come, first woken.</summary>
internal sealed class EndpointActivity(EndpointMeter meter, ConcurrentQueue<AnswerTimes>? times = null)
{
    private const int MostTimes = 500;
    private readonly Lock _lock = new();
    private readonly LinkedList<TaskCompletionSource> _waiting = new();
    private int _copies;

    public EndpointMeter Meter { get; } = meter;

    private readonly ConcurrentDictionary<int, RevisionMeter> _revisions = new();

    public IReadOnlyCollection<KeyValuePair<int, RevisionMeter>> Revisions => [.. _revisions];

    /// <summary>The last answers' times, for who tells them to a server; the oldest go where nobody takes them.</summary>
    public ConcurrentQueue<AnswerTimes>? Times { get; } = times;

    /// <summary>A request was answered whole.</summary>
    public void Answered(int revision, double? firstTokenMs, double? eachTokenMs)
    {
        Meter.Answered(firstTokenMs, eachTokenMs);
        Revision(revision).Answered(firstTokenMs);
        if (Times is not { } times || times.Count >= MostTimes)
            return;
        times.Enqueue(new AnswerTimes(revision, firstTokenMs, eachTokenMs));
    }

    public RevisionMeter Revision(int number) => _revisions.GetOrAdd(number, static _ => new RevisionMeter());

    /// <summary>Counts one more copy of another endpoint's request; <see cref="Copied"/> ends it.</summary>
    /// <returns>False where it has as many as it may have.</returns>
    public bool TryCopy(int most)
    {
        if (Interlocked.Increment(ref _copies) <= most)
            return true;
        Interlocked.Decrement(ref _copies);
        return false;
    }

    public void Copied() => Interlocked.Decrement(ref _copies);

    /// <summary>Joins the line.</summary>
    /// <returns>A place that is woken once; null where the line is full.</returns>
    public LinkedListNode<TaskCompletionSource>? Join(int most)
    {
        lock (_lock)
        {
            return _waiting.Count >= most ? null : _waiting.AddLast(new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        }
    }

    /// <summary>Goes on waiting after a look: in the same place, or as the first where it was woken and another request was quicker. It is never refused.</summary>
    public LinkedListNode<TaskCompletionSource> Stay(LinkedListNode<TaskCompletionSource> place)
    {
        lock (_lock)
            return place.List is not null ? place : _waiting.AddFirst(new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
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
