namespace Cairn.Frameworks.Tokenizing.Segmenting;

/// <summary>Written tokens by their prefixes. Filled once, then safe for concurrent use.</summary>
internal sealed class TokenTrie
{
    private const int None = -1;

    /// <summary>The child of a node by a UTF-16 unit, keyed by both.</summary>
    private readonly Dictionary<long, int> _children = [];
    private readonly List<int> _values = [None];

    /// <summary>A written form that is there already keeps its first value.</summary>
    public void Add(string written, int value)
    {
        var node = 0;
        foreach (var c in written)
        {
            var key = Key(node, c);
            if (!_children.TryGetValue(key, out var child))
            {
                child = _values.Count;
                _values.Add(None);
                _children.Add(key, child);
            }
            node = child;
        }
        if (_values[node] == None) _values[node] = value;
    }

    /// <summary>The longest written form at a place; its length is 0 where there is none.</summary>
    public (int Length, int Value) Longest(ReadOnlySpan<char> text, int at)
    {
        var (found, node) = ((0, None), 0);
        for (var i = at; i < text.Length && Step(ref node, text[i]); i++)
        {
            if (_values[node] != None) found = (i - at + 1, _values[node]);
        }
        return found;
    }

    /// <summary>Goes on by one character; false where no written form goes on so.</summary>
    public bool Step(ref int node, char c) => _children.TryGetValue(Key(node, c), out node);

    /// <summary>The value of the written form that ends at a node; negative where none does.</summary>
    public int ValueAt(int node) => _values[node];

    private static long Key(int node, char c) => (long)node << 16 | c;
}
