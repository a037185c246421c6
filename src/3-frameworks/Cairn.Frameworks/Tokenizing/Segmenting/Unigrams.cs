namespace Cairn.Frameworks.Tokenizing.Segmenting;

/// <summary>
/// The likeliest cut of a piece when each token has a probability of its own (Kudo, 2018, Subword Regularization): the best path over the
/// characters, one pass from left to right.
/// </summary>
internal sealed class Unigrams : Segmenter
{
    /// <summary>SentencePiece's: how much worse an unknown character is than the worst token.</summary>
    private const double UnknownPenalty = 10;
    private readonly TokenTrie _trie = new();
    private readonly double[] _scores;
    private readonly double _unknownScore;
    private readonly int? _unknown;
    private readonly bool _byteFallback;

    /// <param name="vocabulary">The tokens.</param>
    /// <param name="scores">Their logarithmic probabilities, by id.</param>
    /// <param name="unknown">What stands for characters that no token has; null where there is none and they are left out.</param>
    /// <param name="byteFallback">Whether such characters become byte tokens.</param>
    public Unigrams(Vocabulary vocabulary, double[] scores, int? unknown, bool byteFallback) : base(vocabulary)
    {
        for (var id = 0; id < scores.Length; id++) _trie.Add(vocabulary.WrittenOf(id)!, id);
        _scores = scores;
        _unknownScore = scores.DefaultIfEmpty(0).Min() - UnknownPenalty;
        _unknown = unknown;
        _byteFallback = byteFallback;
    }

    /// <summary>The best way to a place: where its last token begins, and which it is; -1 for an unknown character.</summary>
    private record struct Step(double Score, int From, int Id);

    private const int Nowhere = -2;

    public override void Segment(ReadOnlySpan<char> piece, List<int> ids)
    {
        var steps = Walk(piece);
        var path = new List<(int From, int To, int Id)>();
        for (var end = piece.Length; end > 0; end = steps[end].From)
        {
            var step = steps[end];
            // Unknown characters in a row are one unknown token.
            if (step.Id < 0 && path.Count > 0 && path[^1].Id < 0) path[^1] = (step.From, path[^1].To, step.Id);
            else path.Add((step.From, end, step.Id));
        }
        for (var i = path.Count - 1; i >= 0; i--)
        {
            var (from, to, id) = path[i];
            if (id >= 0) ids.Add(id);
            else if (!(_byteFallback && Vocabulary.TryFallBack(piece[from..to], ids)) && _unknown is { } unknown) ids.Add(unknown);
        }
    }

    private Step[] Walk(ReadOnlySpan<char> piece)
    {
        var steps = new Step[piece.Length + 1];
        Array.Fill(steps, new Step(0, Nowhere, Nowhere), 1, piece.Length);
        for (var at = 0; at < piece.Length;)
        {
            var width = at + 1 < piece.Length && char.IsSurrogatePair(piece[at], piece[at + 1]) ? 2 : 1;
            var (single, node) = (false, 0);
            for (var end = at; end < piece.Length && _trie.Step(ref node, piece[end]);)
            {
                end++;
                if (_trie.ValueAt(node) is var id and >= 0)
                {
                    Offer(ref steps[end], steps[at].Score + _scores[id], at, id);
                    single |= end - at == width;
                }
            }
            if (!single) Offer(ref steps[at + width], steps[at].Score + _unknownScore, at, -1);
            at += width;
        }
        return steps;
    }

    private static void Offer(ref Step step, double score, int from, int id)
    {
        if (step.From == Nowhere || score > step.Score) step = new Step(score, from, id);
    }
}
