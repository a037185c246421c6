using System.Runtime.InteropServices;

namespace Cairn.Frameworks.Constraining.Automata;

/// <summary>The subset construction (Rabin and Scott 1959), with calls of rules as symbols of their own.</summary>
internal sealed class Determiniser(Nfa nfa, byte[] classOf, int classes, int maximumStates)
{
    /// <summary>NFA states in all sets together: what bounds memory and time where sets are large.</summary>
    private const long MaximumSize = 4_000_000;

    private readonly Dictionary<int[], int> _ids = new(new SetComparer());
    private readonly List<int[]> _sets = [];
    private readonly int[] _visited = new int[nfa.Count];
    private readonly List<int>[] _moves = [.. Enumerable.Range(0, classes).Select(_ => new List<int>())];
    private readonly SortedDictionary<int, List<int>> _calls = [];
    private readonly Stack<int> _pending = new();
    private int _visit;
    private long _size;

    public Dfa Determinise(Fragment fragment)
    {
        _ids.Clear();
        _sets.Clear();
        var dfa = new Dfa(classes);
        IdOf([fragment.Start], fragment.End);
        for (var id = 0; id < _sets.Count; id++) Expand(dfa, _sets[id], fragment.End);
        return dfa;
    }

    private void Expand(Dfa dfa, int[] set, int end)
    {
        foreach (var move in _moves) move.Clear();
        _calls.Clear();
        foreach (var state in set)
            nfa.Leave(state, Move, (rule, target) => Targets(rule).Add(target), null);
        var calls = _calls.Select(c => (c.Key, IdOf(c.Value, end))).ToArray();
        dfa.States.Add(new Dfa.State(Array.IndexOf(set, end) >= 0, calls, set is [var only] ? nfa.TagOf(only) : null));
        var previous = -1;
        for (var c = 0; c < classes; c++)
        {
            // Neighbouring classes mostly lead to the same states.
            var same = c > 0 && CollectionsMarshal.AsSpan(_moves[c]).SequenceEqual(CollectionsMarshal.AsSpan(_moves[c - 1]));
            if (!same) previous = _moves[c].Count == 0 ? -1 : IdOf(_moves[c], end);
            dfa.Next.Add(previous);
        }
    }

    private void Move(byte low, byte high, int target)
    {
        for (var c = classOf[low]; c <= classOf[high]; c++)
        {
            _moves[c].Add(target);
            if (c == byte.MaxValue) break;
        }
    }

    private List<int> Targets(int rule) => _calls.TryGetValue(rule, out var targets) ? targets : _calls[rule] = [];

    private int IdOf(IReadOnlyList<int> states, int end)
    {
        var set = Closure(states, end);
        if (_ids.TryGetValue(set, out var id)) return id;
        if (_sets.Count == maximumStates)
            throw new GrammarException($"The grammar needs more than {maximumStates} states for one rule; lower its counts or split it.");
        _size += set.Length;
        if (_size > MaximumSize) throw new GrammarException("The grammar is too ambiguous to compile; lower its nested counts or optional parts.");
        _ids[set] = _sets.Count;
        _sets.Add(set);
        return _sets.Count - 1;
    }

    /// <summary>All that is reached over nothing; only states that say something or end are kept, so that more sets are equal.</summary>
    private int[] Closure(IReadOnlyList<int> states, int end)
    {
        _visit++;
        var closure = new List<int>();
        for (var i = 0; i < states.Count; i++) _pending.Push(states[i]);
        while (_pending.TryPop(out var state))
        {
            if (_visited[state] == _visit) continue;
            _visited[state] = _visit;
            if (state == end || nfa.Says(state)) closure.Add(state);
            nfa.Leave(state, null, null, _pending.Push);
        }
        closure.Sort();
        return [.. closure];
    }

    private sealed class SetComparer : IEqualityComparer<int[]>
    {
        public bool Equals(int[]? x, int[]? y) => x.AsSpan().SequenceEqual(y);

        public int GetHashCode(int[] set)
        {
            var hash = new HashCode();
            foreach (var state in set) hash.Add(state);
            return hash.ToHashCode();
        }
    }
}
