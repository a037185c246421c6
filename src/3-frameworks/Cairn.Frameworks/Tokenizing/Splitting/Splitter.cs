namespace Cairn.Frameworks.Tokenizing.Splitting;

/// <summary>Takes a piece of text.</summary>
/// <param name="piece">Never empty.</param>
/// <param name="first">Whether the piece stands at the very start of the text.</param>
internal delegate void PieceSink(ReadOnlySpan<char> piece, bool first);

/// <summary>
/// What a <c>tokenizer.json</c> calls a pre-tokenizer: cuts text into pieces that no token crosses. Safe for concurrent use.
/// </summary>
internal abstract class Splitter
{
    public abstract void Split(ReadOnlySpan<char> text, bool first, PieceSink next);
}

/// <summary>Each splitter cuts the pieces of the one before.</summary>
internal sealed class SplitterChain(IReadOnlyList<Splitter> parts) : Splitter
{
    public override void Split(ReadOnlySpan<char> text, bool first, PieceSink next)
    {
        for (var i = parts.Count - 1; i > 0; i--)
        {
            var (part, sink) = (parts[i], next);
            next = (piece, at) => part.Split(piece, at, sink);
        }
        if (parts.Count == 0) next(text, first);
        else parts[0].Split(text, first, next);
    }
}
