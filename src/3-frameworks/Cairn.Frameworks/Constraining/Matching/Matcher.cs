using System.Diagnostics;
using System.Numerics;
using System.Numerics.Tensors;
using Cairn.Frameworks.Constraining.Automata;

namespace Cairn.Frameworks.Constraining.Matching;

/// <summary>A grammar over one tokenizer's tokens: positions and their masks, computed when first asked for and kept for all generations.
/// Safe for concurrent use.</summary>
/// <remarks>A mask has two parts. What a state allows inside its own rule depends on nothing else and is kept per state (a string's body is
/// one state, however many strings a schema has). Tokens that go on past the rule's end are looked up from the few trie nodes where it can
/// end, in the rule that called it.</remarks>
internal sealed class Matcher
{
    /// <summary>Memory for masks; past it all are forgotten and made again as needed.</summary>
    private const long CacheBytes = 64L << 20;

    private sealed record Local(ulong[] Mask, int[] Exits);

    private readonly Lock _gate = new();
    private readonly Pushdown _automaton;
    private readonly TokenTrie _trie;
    private readonly Configurations _walk;
    private readonly Dictionary<Position, Position> _positions = new(new Position.Comparer());
    private readonly Dictionary<int, Local> _locals = [];
    private readonly Dictionary<int, Local> _chains = [];
    private long _cached;

    /// <exception cref="GrammarException">Some text's bytes are needed that the tokenizer cannot say.</exception>
    public Matcher(Pushdown automaton, TokenTrie trie)
    {
        // Where every byte that an automaton takes is a token too, no state is a dead end, whatever longer tokens there are.
        _automaton = automaton.Restricted(b => trie.SingleBytes[b]) ?? throw new GrammarException(
            "The tokenizer cannot say any text of the grammar: bytes that every one needs are not tokens of their own.");
        _trie = trie;
        _walk = new Configurations(_automaton, Math.Max(1, trie.LongestToken));
        var complete = _walk.BeginClosed(_automaton.Start, null);
        Start = new Position([.. _walk.Level(0)], complete);
    }

    public Position Start { get; }

    /// <summary>The position after a token's bytes; null where the grammar does not take them.</summary>
    public Position? After(Position position, ReadOnlySpan<byte> bytes)
    {
        lock (_gate)
        {
            _walk.Begin(position.Configurations);
            var ended = position.IsComplete;
            for (var i = 0; i < bytes.Length; i++)
            {
                (var any, ended) = _walk.Step(i, bytes[i]);
                if (!any && (!ended || i < bytes.Length - 1)) return null;
            }
            var after = new Position([.. _walk.Level(bytes.Length)], ended);
            if (_positions.TryGetValue(after, out var known)) return known;
            Count(after.Configurations.Length * 16 + 64);
            _positions[after] = after;
            return after;
        }
    }

    public ulong[] MaskOf(Position position)
    {
        if (position.Mask is { } known) return known;
        lock (_gate) return position.Mask ??= Compute(position);
    }

    private ulong[] Compute(Position position)
    {
        var mask = new ulong[_trie.Words];
        Count(mask.Length * sizeof(ulong));
        if (position.IsComplete) _trie.EndMask.CopyTo(mask, 0);
        foreach (var configuration in position.Configurations)
        {
            var local = LocalOf(configuration.State);
            TensorPrimitives.BitwiseOr(mask, local.Mask, mask);
            if (configuration.Below is not { } below || local.Exits.Length == 0) continue;
            _walk.BeginClosed(below.State, below.Below);
            foreach (var node in local.Exits) Walk(node + 1, _trie.Skips[node], _trie.Depths[node], mask, null);
        }
        Debug.Assert(position.IsComplete || mask.AsSpan().ContainsAnyExcept(0UL), "A position that cannot go on was let in.");
        return mask;
    }

    /// <summary>What a state allows inside its rule, and the nodes where the rule may end.</summary>
    private Local LocalOf(int state)
    {
        // A token that is shorter than what remains cannot reach the chain's end.
        var tag = _automaton.Tag(state);
        var (cache, key) = tag?.Remaining >= _trie.LongestToken ? (_chains, tag.Value.Chain) : (_locals, state);
        if (cache.TryGetValue(key, out var known)) return known;
        var mask = new ulong[_trie.Words];
        var exits = new List<int>();
        _walk.Begin(new Configuration(state, null));
        Walk(0, _trie.Nodes, 0, mask, exits);
        Count(mask.Length * sizeof(ulong) + exits.Count * sizeof(int));
        return cache[key] = new Local(mask, [.. exits]);
    }

    /// <summary>Marks the tokens between two nodes that the lowest level's configurations can say.</summary>
    private void Walk(int node, int end, int depth, ulong[] mask, List<int>? exits)
    {
        var (depths, labels, skips, firsts, tokens) = (_trie.Depths, _trie.Labels, _trie.Skips, _trie.FirstTokens, _trie.Tokens);
        while (node < end)
        {
            var (any, ended) = _walk.Step(depths[node] - depth - 1, labels[node]);
            if (any || ended)
            {
                for (var t = firsts[node]; t < firsts[node + 1]; t++) mask[tokens[t] >> 6] |= 1UL << tokens[t];
                if (ended) exits?.Add(node);
            }
            node = any ? node + 1 : skips[node];
        }
    }

    private void Count(long bytes)
    {
        _cached += bytes;
        if (_cached <= CacheBytes) return;
        _positions.Clear();
        _locals.Clear();
        _chains.Clear();
        _cached = bytes;
    }
}
