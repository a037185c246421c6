using Cairn.Frameworks.Tokenizing.Reading;
using Cairn.Frameworks.Tokenizing.Splitting;

namespace Cairn.Frameworks.Tokenizing;

/// <summary>
/// One text on its way to ids: added tokens are found in the text as it came, what lies between is normalised, the other added tokens are
/// found in that, and what lies between those is split and cut into tokens.
/// </summary>
internal sealed class EncodingPass(TokenizerParts parts, List<int> ids)
{
    public void Append(string text)
    {
        if (parts.Added.Raw.IsEmpty)
        {
            Normalize(text, first: true);
            return;
        }
        var done = 0;
        while (parts.Added.Raw.TryFind(text, done, out var token, out var start, out var end))
        {
            Normalize(text[done..start], first: done == 0);
            ids.Add(token.Id);
            done = end;
        }
        Normalize(text[done..], first: done == 0);
    }

    private void Normalize(string text, bool first)
    {
        if (text.Length == 0) return;
        if (parts.Normalizer is { } normalizer) text = normalizer.Normalize(text);
        var done = 0;
        if (!parts.Added.Normalized.IsEmpty)
        {
            while (parts.Added.Normalized.TryFind(text, done, out var token, out var start, out var end))
            {
                Split(text.AsSpan(done, start - done), first && done == 0);
                ids.Add(token.Id);
                done = end;
            }
        }
        Split(text.AsSpan(done), first && done == 0);
    }

    private void Split(ReadOnlySpan<char> text, bool first)
    {
        if (text.IsEmpty) return;
        if (parts.Splitter is { } splitter) splitter.Split(text, first, Segment);
        else Segment(text, first);
    }

    private void Segment(ReadOnlySpan<char> piece, bool first) => parts.Segmenter.Segment(piece, ids);
}
