namespace Cairn.Frameworks.Engine.Batching;

/// <summary>
/// Who waits for a row, and who is next: the oldest request of the caller that was served least. Service is counted as in the virtual token
/// counter of Sheng et al., "Fairness in Serving Large Language Models" (OSDI 2024): a token of prompt weighs 1, a token of output 2, and a
/// caller that comes back starts no lower than the least served of those who wait, so nobody saves up service by staying away.
/// </summary>
internal sealed class FairQueue
{
    public const int PromptWeight = 1;
    public const int OutputWeight = 2;

    /// <summary>
    /// Callers remembered while they wait for nothing; the least served are forgotten first, since they would start at the others' level
    /// anyway.
    /// </summary>
    private const int IdleCallers = 4096;

    private readonly Dictionary<string, Caller> _callers = new(StringComparer.Ordinal);
    private readonly SortedSet<Caller> _waiting = new(Comparer<Caller>.Create((a, b) =>
        a.Served != b.Served ? a.Served.CompareTo(b.Served) : a.Requests.Min.Id.CompareTo(b.Requests.Min.Id)));

    private long _lastLeft;

    public int Count { get; private set; }

    public void Enqueue(Sequence sequence)
    {
        if (!_callers.TryGetValue(sequence.Caller, out var caller))
        {
            Forget();
            _callers.Add(sequence.Caller, caller = new Caller());
        }
        if (caller.Requests.Count == 0)
            caller.Served = Math.Max(caller.Served, _waiting.Min?.Served ?? _lastLeft);
        else
            _waiting.Remove(caller);
        caller.Requests.Add((sequence.Id, sequence));
        _waiting.Add(caller);
        Count++;
    }

    /// <summary>The next one to admit, or null.</summary>
    public Sequence? Next => _waiting.Min?.Requests.Min.Sequence;

    /// <summary>Takes a request out: admitted or cancelled.</summary>
    public bool Remove(Sequence sequence)
    {
        if (!_callers.TryGetValue(sequence.Caller, out var caller) || !caller.Requests.Contains((sequence.Id, sequence)))
            return false;
        _waiting.Remove(caller);
        caller.Requests.Remove((sequence.Id, sequence));
        Count--;
        if (caller.Requests.Count > 0)
            _waiting.Add(caller);
        else
            _lastLeft = caller.Served;
        return true;
    }

    public void Charge(string name, long service)
    {
        if (!_callers.TryGetValue(name, out var caller))
            return;
        if (caller.Requests.Count == 0)
        {
            caller.Served += service;
            return;
        }
        // The set is ordered by what changes here, so the caller leaves it meanwhile.
        _waiting.Remove(caller);
        caller.Served += service;
        _waiting.Add(caller);
    }

    /// <summary>What a caller was served so far, in weighted tokens.</summary>
    public long ServedTo(string name) => _callers.TryGetValue(name, out var caller) ? caller.Served : 0;

    private void Forget()
    {
        if (_callers.Count - _waiting.Count < IdleCallers)
            return;
        var idle = _callers.Where(c => c.Value.Requests.Count == 0).OrderBy(c => c.Value.Served).Take(IdleCallers / 2).ToList();
        foreach (var (name, _) in idle)
            _callers.Remove(name);
    }

    private sealed class Caller
    {
        public long Served;
        public readonly SortedSet<(long Id, Sequence Sequence)> Requests =
            new(Comparer<(long Id, Sequence)>.Create((a, b) => a.Id.CompareTo(b.Id)));
    }
}
