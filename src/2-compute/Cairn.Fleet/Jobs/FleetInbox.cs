using System.Collections.Concurrent;
using Cairn.State;

namespace Cairn.Fleet.Jobs;

/// <summary>What waits for the reconciler's next turn. Posting wakes it.</summary>
internal sealed class FleetInbox(Store store)
{
    public const string Signal = "fleet";

    private readonly ConcurrentQueue<FleetInput> _waiting = new();
    private int _raised;

    public void Post(FleetInput input)
    {
        _waiting.Enqueue(input);
        // One wake serves everything posted until the reconciler has looked.
        if (Interlocked.Exchange(ref _raised, 1) == 0)
            store.Signals.Raise(Signal);
    }

    /// <summary>Takes at most so many, in order; an empty list when nothing waits.</summary>
    public List<FleetInput> Take(int most)
    {
        // A full fence: the look into the queue must not be taken before the flag is down, or a post in between would wake nobody.
        Interlocked.Exchange(ref _raised, 0);
        var taken = new List<FleetInput>();
        while (taken.Count < most && _waiting.TryDequeue(out var input))
            taken.Add(input);
        return taken;
    }
}
