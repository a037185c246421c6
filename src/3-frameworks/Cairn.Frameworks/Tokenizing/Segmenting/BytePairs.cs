using System.Collections.Concurrent;
using System.Text;

namespace Cairn.Frameworks.Tokenizing.Segmenting;

/// <summary>
/// Byte-pair encoding: of a piece's neighbouring symbols, the pair that was learnt first is joined, the leftmost of equals, until no pair
/// is left (Sennrich et al., 2016, Neural Machine Translation of Rare Words with Subword Units). A heap over a linked list keeps it at n
/// log n for any piece.
/// </summary>
internal sealed class BytePairs(Vocabulary vocabulary, Dictionary<long, (int Rank, int Id)> merges, BytePairOptions options)
    : Segmenter(vocabulary)
{
    private const int LongestRemembered = 64;
    private const int MostRemembered = 1 << 16;
    private const int ShortPiece = 24;
    private readonly ConcurrentDictionary<string, int[]> _remembered = new(StringComparer.Ordinal);
    private int _count;

    public static long Pair(int left, int right) => (long)left << 32 | (uint)right;

    public override void Segment(ReadOnlySpan<char> piece, List<int> ids)
    {
        if (piece.IsEmpty) return;
        if (options.IgnoreMerges && Vocabulary.TryId(piece, out var whole))
        {
            ids.Add(whole);
            return;
        }
        var remember = piece.Length <= LongestRemembered;
        if (remember && _remembered.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(piece, out var known))
        {
            ids.AddRange(known);
            return;
        }
        var symbols = Symbols(piece);
        var count = symbols.Count <= ShortPiece ? JoinFew(symbols) : JoinMany(symbols);
        var joined = System.Runtime.InteropServices.CollectionsMarshal.AsSpan(symbols)[..count];
        ids.AddRange(joined);
        if (remember && Volatile.Read(ref _count) < MostRemembered
            && _remembered.TryAdd(piece.ToString(), joined.ToArray())) Interlocked.Increment(ref _count);
    }

    private List<int> Symbols(ReadOnlySpan<char> piece)
    {
        var symbols = new List<int>(piece.Length);
        var lastUnknown = false;
        for (var at = 0; at < piece.Length;)
        {
            var width = at + 1 < piece.Length && char.IsSurrogatePair(piece[at], piece[at + 1]) ? 2 : 1;
            var character = piece.Slice(at, width);
            var known = Find(character, at == 0, at + width == piece.Length, out var id);
            at += width;
            if (known)
            {
                symbols.Add(id);
                lastUnknown = false;
            }
            else if (options.ByteFallback && Vocabulary.TryFallBack(character, symbols))
            {
                lastUnknown = false;
            }
            else if (options.Unknown is { } unknown)
            {
                if (!lastUnknown || !options.FuseUnknown) symbols.Add(unknown);
                lastUnknown = true;
            }
        }
        return symbols;
    }

    private bool Find(ReadOnlySpan<char> character, bool first, bool last, out int id)
    {
        var prefix = first ? "" : options.ContinuingPrefix;
        var suffix = last ? options.EndOfWordSuffix : "";
        return prefix.Length + suffix.Length == 0
            ? Vocabulary.TryId(character, out id)
            : Vocabulary.TryId(string.Concat(prefix, character, suffix), out id);
    }

    private int JoinFew(List<int> symbols)
    {
        var count = symbols.Count;
        while (count > 1)
        {
            var (best, at, id) = (int.MaxValue, -1, 0);
            for (var i = 0; i + 1 < count; i++)
            {
                if (merges.TryGetValue(Pair(symbols[i], symbols[i + 1]), out var merge) && merge.Rank < best) (best, at, id) = (merge.Rank,
                    i, merge.Id);
            }
            if (at < 0) break;
            symbols[at] = id;
            for (var i = at + 1; i + 1 < count; i++) symbols[i] = symbols[i + 1];
            count--;
        }
        return count;
    }

    /// <summary>The joined symbols come to stand at the list's start.</summary>
    private int JoinMany(List<int> symbols)
    {
        var count = symbols.Count;
        var (next, previous) = (new int[count], new int[count]);
        var seeds = new List<(byte, long)>(count);
        for (var i = 0; i < count; i++)
        {
            (next[i], previous[i]) = (i + 1, i - 1);
            if (i + 1 < count && merges.TryGetValue(Pair(symbols[i], symbols[i + 1]), out var merge)) seeds.Add((0, Order(merge.Rank, i)));
        }
        var queue = new PriorityQueue<byte, long>(seeds);
        while (queue.TryDequeue(out _, out var order))
        {
            var at = (int)(order & int.MaxValue);
            // A symbol that was joined into its left neighbour is -1; a pair that changed since has another rank or none.
            if (symbols[at] < 0 || next[at] >= count || !merges.TryGetValue(Pair(symbols[at], symbols[next[at]]), out var merge)
                || Order(merge.Rank, at) != order)
                continue;
            var gone = next[at];
            (symbols[at], symbols[gone]) = (merge.Id, -1);
            next[at] = next[gone];
            if (next[at] < count) previous[next[at]] = at;
            Enqueue(previous[at]);
            Enqueue(at);
        }
        var kept = 0;
        for (var i = 0; i < count; i = next[i]) symbols[kept++] = symbols[i];
        return kept;

        void Enqueue(int at)
        {
            if (at >= 0 && next[at] < count && merges.TryGetValue(Pair(symbols[at], symbols[next[at]]), out var found)) queue.Enqueue(0,
                Order(found.Rank, at));
        }
    }

    private static long Order(int rank, int at) => (long)rank << 31 | (uint)at;
}

internal sealed record BytePairOptions
{
    /// <summary>A piece that is a token itself stays whole, whatever the merges say.</summary>
    public bool IgnoreMerges { get; init; }

    public bool ByteFallback { get; init; }

    public int? Unknown { get; init; }

    public bool FuseUnknown { get; init; }

    public string ContinuingPrefix { get; init; } = "";

    public string EndOfWordSuffix { get; init; } = "";
}
