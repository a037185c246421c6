using System.Text;

namespace Cairn.Frameworks.Constraining.Automata;

/// <summary>A part of an <see cref="Nfa"/>: every path from the first to the second state says one text.</summary>
internal readonly record struct Fragment(int Start, int End);

/// <summary>States with edges over byte ranges, over nothing, and over whole rules: schemas and expressions are written into it.</summary>
internal sealed class Nfa
{
    /// <summary>States in all; counted repetitions multiply them.</summary>
    public const int MaximumStates = 200_000;

    private const int Nothing = -1, Bytes = -2;
    private readonly record struct Edge(int Kind, byte Low, byte High, int Target, int Next);
    private readonly List<int> _firstEdge = [];
    private readonly List<Edge> _edges = [];
    private readonly List<Fragment> _rules = [];
    private readonly bool[] _cuts = new bool[257];
    private readonly Dictionary<int, (int Chain, int Remaining)> _tags = [];

    public int Count => _firstEdge.Count;
    public IReadOnlyList<Fragment> Rules => _rules;

    public int State()
    {
        if (_firstEdge.Count == MaximumStates)
            throw new GrammarException(
                $"The grammar needs more than {MaximumStates} states; lower its counts (maxLength, maxItems, {{n,m}}).");
        _firstEdge.Add(-1);
        return _firstEdge.Count - 1;
    }

    public void Skip(int from, int to) => Add(from, Nothing, 0, 0, to);

    public void Range(int from, int low, int high, int to)
    {
        if (low > high) return;
        _cuts[low] = _cuts[high + 1] = true;
        Add(from, Bytes, (byte)low, (byte)high, to);
    }

    public void Call(int from, int rule, int to) => Add(from, rule, 0, 0, to);

    public void Text(int from, ReadOnlySpan<byte> text, int to)
    {
        for (var i = 0; i < text.Length; i++)
        {
            var next = i == text.Length - 1 ? to : State();
            Range(from, text[i], text[i], next);
            from = next;
        }
        if (text.IsEmpty) Skip(from, to);
    }

    public Fragment Text(string text)
    {
        var fragment = New();
        Text(fragment.Start, Encoding.UTF8.GetBytes(text), fragment.End);
        return fragment;
    }

    /// <summary>Two states without an edge: says nothing at all, until edges are added.</summary>
    public Fragment New() => new(State(), State());

    public Fragment Sequence(params ReadOnlySpan<Fragment> parts)
    {
        for (var i = 1; i < parts.Length; i++) Skip(parts[i - 1].End, parts[i].Start);
        return new Fragment(parts[0].Start, parts[^1].End);
    }

    public Fragment Either(params IEnumerable<Fragment> parts)
    {
        var either = New();
        foreach (var part in parts)
        {
            Skip(either.Start, part.Start);
            Skip(part.End, either.End);
        }
        return either;
    }

    public Fragment Calling(int rule)
    {
        var fragment = New();
        Call(fragment.Start, rule, fragment.End);
        return fragment;
    }

    /// <summary>A rule without a text yet; <see cref="Define"/> gives it one.</summary>
    public int Declare()
    {
        _rules.Add(default);
        return _rules.Count - 1;
    }

    public void Define(int rule, Fragment fragment) => _rules[rule] = fragment;

    /// <summary>Marks a state as one of a chain of like states, after which so many bytes at least pass before the chain's end tells.
    /// States of a chain with enough remaining allow the same tokens.</summary>
    public void Tag(int state, int chain, int remaining) => _tags[state] = (chain, remaining);

    public (int Chain, int Remaining)? TagOf(int state) => _tags.TryGetValue(state, out var tag) ? tag : null;

    /// <summary>Bytes that no edge tells apart are one class.</summary>
    public (byte[] ClassOf, int Classes) ByteClasses()
    {
        var classOf = new byte[256];
        var current = 0;
        for (var b = 1; b < 256; b++)
        {
            if (_cuts[b]) current++;
            classOf[b] = (byte)current;
        }
        return (classOf, current + 1);
    }

    /// <summary>What leaves a state: over bytes, over a rule, or over nothing.</summary>
    public void Leave(int state, Action<byte, byte, int>? bytes, Action<int, int>? call, Action<int>? skip)
    {
        for (var e = _firstEdge[state]; e >= 0; e = _edges[e].Next)
        {
            var edge = _edges[e];
            if (edge.Kind == Nothing) skip?.Invoke(edge.Target);
            else if (edge.Kind == Bytes) bytes?.Invoke(edge.Low, edge.High, edge.Target);
            else call?.Invoke(edge.Kind, edge.Target);
        }
    }

    /// <summary>Whether something other than nothing leaves it.</summary>
    public bool Says(int state)
    {
        for (var e = _firstEdge[state]; e >= 0; e = _edges[e].Next)
            if (_edges[e].Kind != Nothing) return true;
        return false;
    }

    private void Add(int from, int kind, byte low, byte high, int to)
    {
        _edges.Add(new Edge(kind, low, high, to, _firstEdge[from]));
        _firstEdge[from] = _edges.Count - 1;
    }
}
