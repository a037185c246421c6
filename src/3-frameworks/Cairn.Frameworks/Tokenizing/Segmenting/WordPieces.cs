namespace Cairn.Frameworks.Tokenizing.Segmenting;

/// <summary>
/// The longest token that a word begins with, then the longest continuation, and so on; a word that cannot be finished is unknown as a
/// whole (Schuster and Nakajima, 2012; Wu et al., 2016).
/// </summary>
internal sealed class WordPieces(Vocabulary vocabulary, int unknown, string prefix, int longestWord) : Segmenter(vocabulary)
{
    private readonly int _longestToken = Enumerable.Range(0, vocabulary.Size).Max(id => vocabulary.WrittenOf(id)?.Length ?? 0);

    public override void Segment(ReadOnlySpan<char> piece, List<int> ids)
    {
        var begun = ids.Count;
        var known = Length(piece) <= longestWord;
        var buffer = new char[prefix.Length + _longestToken];
        prefix.CopyTo(buffer);
        for (var at = 0; known && at < piece.Length;)
        {
            var taken = Longest(piece[at..], at > 0, buffer, out var id);
            known = taken > 0;
            at += taken;
            if (known) ids.Add(id);
        }
        if (known) return;
        ids.RemoveRange(begun, ids.Count - begun);
        ids.Add(unknown);
    }

    private int Longest(ReadOnlySpan<char> rest, bool continuing, char[] buffer, out int id)
    {
        for (var length = Math.Min(rest.Length, _longestToken); length > 0; length--)
        {
            var half = length < rest.Length && char.IsSurrogatePair(rest[length - 1], rest[length]);
            if (half) continue;
            rest[..length].CopyTo(buffer.AsSpan(prefix.Length));
            if (Vocabulary.TryId(continuing ? buffer.AsSpan(0, prefix.Length + length) : rest[..length], out id)) return length;
        }
        id = 0;
        return 0;
    }

    private static int Length(ReadOnlySpan<char> text)
    {
        var count = 0;
        foreach (var c in text) count += char.IsLowSurrogate(c) ? 0 : 1;
        return count;
    }
}

/// <summary>A piece is a token or it is unknown.</summary>
internal sealed class WholeWords(Vocabulary vocabulary, int? unknown) : Segmenter(vocabulary)
{
    public override void Segment(ReadOnlySpan<char> piece, List<int> ids)
    {
        if (Vocabulary.TryId(piece, out var id)) ids.Add(id);
        else if (unknown is { } one) ids.Add(one);
    }
}
