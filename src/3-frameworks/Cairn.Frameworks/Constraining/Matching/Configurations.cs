using Cairn.Frameworks.Constraining.Automata;

namespace Cairn.Frameworks.Constraining.Matching;

/// <summary>Sets of configurations, one above the other like the nodes of a walk down the trie. Reused from walk to walk.</summary>
internal sealed class Configurations(Pushdown automaton, int levels)
{
    /// <summary>Ways to read one text that are followed side by side. Where a grammar is more ambiguous than that, the later
    /// alternatives are given up.</summary>
    private const int MaximumAmbiguity = 512;

    private Configuration[] _items = new Configuration[64];
    private readonly int[] _starts = new int[levels + 2];
    private int _count;

    public ReadOnlySpan<Configuration> Level(int level) => _items.AsSpan(_starts[level], _starts[level + 1] - _starts[level]);

    /// <summary>Makes the lowest level of these alone.</summary>
    public void Begin(params ReadOnlySpan<Configuration> items)
    {
        _count = 0;
        foreach (var item in items) Put(item);
        _starts[1] = _count;
    }

    /// <summary>Makes the lowest level of a state just entered; tells whether it may end the text.</summary>
    public bool BeginClosed(int state, StackFrame? below)
    {
        _count = 0;
        var ended = false;
        Enter(state, below, 0, ref ended);
        _starts[1] = _count;
        return ended;
    }

    /// <summary>Makes the level above <paramref name="level"/> by a byte.</summary>
    /// <returns>Whether anything is there, and whether the lowest frame ended.</returns>
    public (bool Any, bool Ended) Step(int level, byte value)
    {
        var (first, last) = (_starts[level], _starts[level + 1]);
        _count = last;
        var ended = false;
        for (var i = first; i < last; i++)
        {
            var next = automaton.Next(_items[i].State, value);
            if (next >= 0) Enter(next, _items[i].Below, last, ref ended);
        }
        _starts[level + 2] = _count;
        return (_count > last, ended);
    }

    private void Enter(int state, StackFrame? below, int floor, ref bool ended)
    {
        if (automaton.Moves[state]) Add(new Configuration(state, below), floor);
        if (automaton.IsPlain(state)) return;
        foreach (var call in automaton.Calls(state))
            Enter(call.Start, call.Return < 0 ? below : new StackFrame(call.Return, below), floor, ref ended);
        if (!automaton.Accepts(state)) return;
        if (below is null) ended = true;
        else Enter(below.State, below.Below, floor, ref ended);
    }

    private void Add(Configuration item, int floor)
    {
        for (var i = floor; i < _count; i++)
            if (_items[i] == item) return;
        if (_count - floor < MaximumAmbiguity) Put(item);
    }

    private void Put(Configuration item)
    {
        if (_count == _items.Length) Array.Resize(ref _items, _count * 2);
        _items[_count++] = item;
    }
}
