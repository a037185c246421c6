using System.Diagnostics;
using Cairn.Frameworks.Tokenizing;

namespace Cairn.Frameworks.Constraining;

/// <summary>A tokenizer's tokens as a trie over bytes. One per tokenizer; immutable.</summary>
/// <remarks>Nodes lie in depth-first order, so that a walk is one pass forward over arrays that leaps over what is refused.</remarks>
public sealed class TokenTrie
{
    private readonly ReadOnlyMemory<byte>[] _bytes;
    private readonly HashSet<int> _endTokens;

    /// <param name="tokenizer">Its special tokens and those without bytes are left out: constrained text never has them.</param>
    /// <param name="endTokens">Allowed where a text is complete.</param>
    public TokenTrie(Tokenizer tokenizer, IReadOnlyCollection<int> endTokens)
        : this([.. Enumerable.Range(0, tokenizer.VocabularySize).Select(t => tokenizer.IsSpecial(t) ? default : tokenizer.BytesOf(t))],
            endTokens) { }

    /// <param name="tokens">The bytes of each token by id; empty for one that is never part of a text.</param>
    internal TokenTrie(IReadOnlyList<ReadOnlyMemory<byte>> tokens, IReadOnlyCollection<int> endTokens)
    {
        _bytes = [.. tokens];
        _endTokens = [.. endTokens.Where(t => t >= 0 && t < tokens.Count)];
        EndMask = new ulong[Words];
        foreach (var end in _endTokens)
        {
            EndMask[end / 64] |= 1UL << (end % 64);
            _bytes[end] = default;
        }
        var order = Enumerable.Range(0, _bytes.Length).Where(t => !_bytes[t].IsEmpty).ToArray();
        Array.Sort(order, (a, b) => _bytes[a].Span.SequenceCompareTo(_bytes[b].Span) is var c && c != 0 ? c : a.CompareTo(b));
        Tokens = order;
        LongestToken = order.Length == 0 ? 0 : order.Max(t => _bytes[t].Length);
        Build(out var labels, out var depths, out var skips, out var firsts);
        (Labels, Depths, Skips, FirstTokens) = (labels, depths, skips, firsts);
        foreach (var token in order)
            if (_bytes[token].Length == 1) SingleBytes[_bytes[token].Span[0]] = true;
    }

    internal int VocabularySize => _bytes.Length;
    internal int Words => (_bytes.Length + 63) / 64;
    internal int Nodes => Labels.Length;

    /// <summary>Per node the byte that leads to it.</summary>
    internal byte[] Labels { get; }

    /// <summary>Per node how many bytes lead to it; 1 for the first.</summary>
    internal ushort[] Depths { get; }

    /// <summary>Per node the first node that is not below it.</summary>
    internal int[] Skips { get; }

    /// <summary>Per node where its tokens begin in <see cref="Tokens"/>; they end where the next node's begin.</summary>
    internal int[] FirstTokens { get; }
    internal int[] Tokens { get; }
    internal ulong[] EndMask { get; }
    internal int LongestToken { get; }

    /// <summary>Which bytes are a token of their own.</summary>
    internal bool[] SingleBytes { get; } = new bool[256];

    internal bool IsEnd(int token) => _endTokens.Contains(token);
    internal ReadOnlySpan<byte> BytesOf(int token) => _bytes[token].Span;

    private void Build(out byte[] labels, out ushort[] depths, out int[] skips, out int[] firsts)
    {
        var (label, depth, first) = (new List<byte>(), new List<ushort>(), new List<int>());
        ReadOnlySpan<byte> previous = default;
        for (var i = 0; i < Tokens.Length; i++)
        {
            var bytes = _bytes[Tokens[i]].Span;
            if (bytes.Length > ushort.MaxValue)
                throw new ArgumentException($"Token {Tokens[i]} has {bytes.Length} bytes; at most 65,535 are taken.");
            // Sorted, so only the last node can be shared by equal tokens; nodes on the way to a longer token have none of their own.
            for (var d = previous.CommonPrefixLength(bytes); d < bytes.Length; d++)
            {
                label.Add(bytes[d]);
                depth.Add((ushort)(d + 1));
                first.Add(i);
            }
            previous = bytes;
        }
        first.Add(Tokens.Length);
        (labels, depths, firsts, skips) = ([.. label], [.. depth], [.. first], new int[label.Count]);
        var open = new Stack<int>();
        for (var n = 0; n <= labels.Length; n++)
        {
            while (open.TryPeek(out var top) && (n == labels.Length || depths[top] >= depths[n])) skips[open.Pop()] = n;
            if (n < labels.Length) open.Push(n);
        }
        Debug.Assert(firsts.Length == labels.Length + 1);
    }
}
