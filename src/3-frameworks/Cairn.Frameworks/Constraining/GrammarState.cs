using Cairn.Frameworks.Constraining.Matching;

namespace Cairn.Frameworks.Constraining;

/// <summary>Where one generation stands in its grammar. Not for concurrent use.</summary>
public sealed class GrammarState
{
    private readonly TokenTrie _tokens;
    private readonly Matcher _matcher;
    private Position _position;
    private bool _ended;

    /// <exception cref="GrammarException">The tokens cannot say any text of the grammar.</exception>
    public GrammarState(Grammar grammar, TokenTrie tokens)
    {
        _tokens = tokens;
        _matcher = grammar.MatcherFor(tokens);
        _position = _matcher.Start;
    }

    /// <summary>One bit per token id, lowest first: the tokens after which the text can still be completed, and the end tokens where it is
    /// complete. Never all zero, unless the text is finished and the model has no end token. Valid for ever.</summary>
    public ReadOnlySpan<ulong> Allowed => _matcher.MaskOf(_position);

    /// <summary>Whether nothing but an end token may follow.</summary>
    public bool IsFinished => _ended || _position.IsFinished;

    /// <summary>Whether the text so far is whole, though it may go on.</summary>
    public bool IsComplete => _position.IsComplete;

    /// <summary>Takes a token that was allowed.</summary>
    /// <exception cref="ArgumentException">It was not allowed; the state stays as it is.</exception>
    public void Advance(int token)
    {
        if (_tokens.IsEnd(token) && _position.IsComplete)
        {
            _ended = true;
            return;
        }
        if (_ended || (uint)token >= (uint)_tokens.VocabularySize || _tokens.BytesOf(token) is not { IsEmpty: false } bytes
            || _matcher.After(_position, bytes) is not { } after)
            throw new ArgumentException($"Token {token} is not allowed here; take one whose bit is set in Allowed.", nameof(token));
        _position = after;
    }

    /// <summary>Whether the text takes these bytes next, whatever tokens they come in.</summary>
    internal bool TryAdvance(ReadOnlySpan<byte> bytes)
    {
        foreach (var value in bytes)
        {
            if (_matcher.After(_position, [value]) is not { } after) return false;
            _position = after;
        }
        return true;
    }

    internal GrammarState Copy() => (GrammarState)MemberwiseClone();

    /// <summary>The same object wherever texts may go on alike.</summary>
    internal object Place => _position;
}
