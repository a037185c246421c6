namespace Cairn.Frameworks.Constraining.Automata;

/// <summary>One rule, deterministic over bytes. Calls of other rules stay edges; a state may have several, and bytes besides.</summary>
internal sealed class Dfa(int classes)
{
    public readonly record struct State(bool Accepts, (int Rule, int Target)[] Calls, (int Chain, int Remaining)? Tag);

    public int Classes => classes;
    public List<State> States { get; } = [];

    /// <summary>Per state and byte class the next state; -1 where there is none.</summary>
    public List<int> Next { get; } = [];

    public int At(int state, int byteClass) => Next[state * classes + byteClass];

    /// <summary>Two fragments without calls: what both say, written into the same NFA.</summary>
    public static Fragment Both(Nfa nfa, Fragment first, Fragment second, int maximumStates)
    {
        var (classOf, classes) = nfa.ByteClasses();
        var a = new Determiniser(nfa, classOf, classes, maximumStates).Determinise(first);
        var b = new Determiniser(nfa, classOf, classes, maximumStates).Determinise(second);
        var both = nfa.New();
        var states = new Dictionary<(int, int), int> { [(0, 0)] = both.Start };
        var open = new Queue<(int, int)>([(0, 0)]);
        while (open.TryDequeue(out var pair))
        {
            var from = states[pair];
            if (a.States[pair.Item1].Accepts && b.States[pair.Item2].Accepts) nfa.Skip(from, both.End);
            for (var low = 0; low < 256;)
            {
                var high = low;
                while (high < 255 && classOf[high + 1] == classOf[low]) high++;
                var next = (a.At(pair.Item1, classOf[low]), b.At(pair.Item2, classOf[low]));
                if (next.Item1 >= 0 && next.Item2 >= 0)
                {
                    if (!states.TryGetValue(next, out var to))
                    {
                        states[next] = to = nfa.State();
                        open.Enqueue(next);
                    }
                    nfa.Range(from, low, high, to);
                }
                low = high + 1;
            }
        }
        return both;
    }
}
