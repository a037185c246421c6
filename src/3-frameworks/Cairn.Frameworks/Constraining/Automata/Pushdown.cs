namespace Cairn.Frameworks.Constraining.Automata;

/// <summary>All rules of a grammar as one table. A configuration is a state and the stack of states to return to; a byte moves the state,
/// a call pushes, an accepting state may pop. From every state a whole text can be reached.</summary>
internal sealed class Pushdown
{
    /// <summary>States of all rules together; the table has one number per state and byte class.</summary>
    public const int MaximumStates = 40_000;

    /// <param name="Start">Where the rule begins.</param>
    /// <param name="Return">Where it goes on afterwards; -1 where nothing follows, so that nothing needs to be pushed.</param>
    public readonly record struct Rule(int Start, int Return);

    private readonly byte[] _classOf;
    private readonly int[] _next;
    private readonly bool[] _accepts;
    private readonly Rule[][] _calls;
    private readonly (int Chain, int Remaining)?[] _tags;

    private Pushdown(byte[] classOf, int[] next, bool[] accepts, Rule[][] calls, (int, int)?[] tags, int start)
    {
        (_classOf, _next, _accepts, _calls, _tags, Start) = (classOf, next, accepts, calls, tags, start);
        Classes = next.Length / accepts.Length;
        Moves = new bool[accepts.Length];
        for (var s = 0; s < accepts.Length; s++) Moves[s] = next.AsSpan(s * Classes, Classes).IndexOfAnyExcept(-1) >= 0;
    }

    public int Start { get; }
    public int Classes { get; }
    public int States => _accepts.Length;

    /// <summary>Whether a byte leaves the state.</summary>
    public bool[] Moves { get; }

    public int Next(int state, byte value) => _next[state * Classes + _classOf[value]];
    public bool Accepts(int state) => _accepts[state];
    public ReadOnlySpan<Rule> Calls(int state) => _calls[state];
    public (int Chain, int Remaining)? Tag(int state) => _tags[state];

    /// <summary>Whether nothing but bytes leaves the state.</summary>
    public bool IsPlain(int state) => !_accepts[state] && _calls[state].Length == 0;

    /// <summary>The rules' deterministic forms, the first being the whole text.</summary>
    public static Pushdown From(Nfa nfa)
    {
        var (classOf, classes) = nfa.ByteClasses();
        var determiniser = new Determiniser(nfa, classOf, classes, MaximumStates);
        var (starts, rules, total) = (new List<int>(), new List<Dfa>(), 0);
        foreach (var fragment in nfa.Rules)
        {
            rules.Add(determiniser.Determinise(fragment));
            starts.Add(total);
            total += rules[^1].States.Count;
            if (total > MaximumStates)
                throw new GrammarException($"The grammar needs more than {MaximumStates} states; lower its counts (maxLength, {{n,m}}).");
        }
        var (next, accepts) = (new int[total * classes], new bool[total]);
        var (calls, tags) = (new Rule[total][], new (int, int)?[total]);
        for (var r = 0; r < rules.Count; r++)
        {
            var (dfa, first) = (rules[r], starts[r]);
            for (var i = 0; i < dfa.Next.Count; i++) next[first * classes + i] = dfa.Next[i] < 0 ? -1 : first + dfa.Next[i];
            for (var s = 0; s < dfa.States.Count; s++)
            {
                accepts[first + s] = dfa.States[s].Accepts;
                calls[first + s] = [.. dfa.States[s].Calls.Select(c => new Rule(starts[c.Rule], first + c.Target))];
                tags[first + s] = dfa.States[s].Tag;
            }
        }
        return new Pushdown(classOf, next, accepts, calls, tags, starts[0]).Trimmed()
            ?? throw new GrammarException("No text satisfies the grammar: what it requires contradicts itself or never ends.");
    }

    /// <summary>Only texts made of these bytes; null where there are none.</summary>
    public Pushdown? Restricted(Func<byte, bool> usable)
    {
        var classOf = (byte[])_classOf.Clone();
        var lost = Enumerable.Range(0, 256).Where(b => !usable((byte)b)).ToArray();
        if (lost.Length == 0) return this;
        // One more class, which leads nowhere; a class that lost all its bytes must lead nowhere too, or it would seem a way out.
        foreach (var b in lost) classOf[b] = (byte)Classes;
        var used = classOf.ToHashSet();
        var next = new int[States * (Classes + 1)];
        Array.Fill(next, -1);
        for (var s = 0; s < States; s++)
            for (var c = 0; c < Classes; c++)
                if (used.Contains((byte)c)) next[s * (Classes + 1) + c] = _next[s * Classes + c];
        return new Pushdown(classOf, next, (bool[])_accepts.Clone(), [.. _calls], _tags, Start).Trimmed();
    }

    /// <summary>Drops every edge from which no end can be reached; null where the start is such.</summary>
    private Pushdown? Trimmed()
    {
        var ends = Ends();
        if (!ends[Start]) return null;
        for (var i = 0; i < _next.Length; i++)
            if (_next[i] >= 0 && !ends[_next[i]]) _next[i] = -1;
        for (var s = 0; s < States; s++)
            if (_calls[s].Length > 0) _calls[s] = [.. _calls[s].Where(c => ends[c.Start] && (c.Return < 0 || ends[c.Return]))];
        var moves = new Pushdown(_classOf, _next, _accepts, _calls, _tags, Start);
        for (var s = 0; s < States; s++)
            _calls[s] = [.. _calls[s].Select(c => c with { Return = c.Return >= 0 && moves.IsLast(c.Return) ? -1 : c.Return })];
        moves.RefuseEndlessCalls();
        return moves;
    }

    private bool IsLast(int state) => _accepts[state] && !Moves[state] && _calls[state].Length == 0;

    /// <summary>The least fixed point of: accepts, or a byte or a call that ends leads to a state that ends.</summary>
    private bool[] Ends()
    {
        var ends = (bool[])_accepts.Clone();
        for (var changed = true; changed;)
        {
            changed = false;
            for (var s = States - 1; s >= 0; s--)
            {
                if (ends[s]) continue;
                foreach (var next in _next.AsSpan(s * Classes, Classes)) ends[s] |= next >= 0 && ends[next];
                foreach (var call in _calls[s]) ends[s] |= ends[call.Start] && (call.Return < 0 || ends[call.Return]);
                changed |= ends[s];
            }
        }
        return ends;
    }

    /// <summary>A rule that may begin by calling itself would push for ever without a byte.</summary>
    private void RefuseEndlessCalls()
    {
        var colour = new byte[States]; // 0 new, 1 being entered, 2 done
        for (var s = 0; s < States; s++) Enter(s);

        void Enter(int state)
        {
            if (colour[state] == 2) return;
            if (colour[state] == 1) throw new GrammarException("A rule of the grammar refers to itself without consuming anything.");
            colour[state] = 1;
            System.Runtime.CompilerServices.RuntimeHelpers.EnsureSufficientExecutionStack();
            foreach (var call in _calls[state]) Enter(call.Start);
            colour[state] = 2;
        }
    }
}
