using System.Text;
using Cairn.Frameworks.Tokenizing.Patterns;
using Cairn.Frameworks.Tokenizing.Segmenting;

namespace Cairn.Frameworks.Tokenizing.AddedTokens;

/// <summary>Finds added tokens in a text: leftmost first, and of those the longest.</summary>
internal sealed class AddedTokenFinder
{
    private readonly TokenTrie _trie = new();
    private readonly List<AddedToken> _tokens = [];

    /// <param name="tokens">The tokens and how each is written in the text that is searched.</param>
    public AddedTokenFinder(IEnumerable<(AddedToken Token, string Written)> tokens)
    {
        foreach (var (token, written) in tokens)
        {
            if (written.Length == 0) continue;
            _trie.Add(written, _tokens.Count);
            _tokens.Add(token);
        }
    }

    public bool IsEmpty => _tokens.Count == 0;

    /// <summary>
    /// The first token at or after <paramref name="from"/>, with the white space that it takes along but never what lies before <paramref
    /// name="from"/>.
    /// </summary>
    public bool TryFind(ReadOnlySpan<char> text, int from, out AddedToken token, out int start, out int end)
    {
        for (var at = from; at < text.Length; at++)
        {
            var (length, index) = _trie.Longest(text, at);
            if (length == 0) continue;
            token = _tokens[index];
            (start, end) = (at, at + length);
            if (token.SingleWord && (EndsWithWord(text[..start]) || StartsWithWord(text[end..])))
            {
                // A search for the next match begins after this one.
                at = end - 1;
                continue;
            }
            if (token.StripLeft)
            {
                while (start > from && UnicodeClasses.Space.Contains(text[start - 1])) start--;
            }
            if (token.StripRight)
            {
                while (end < text.Length && UnicodeClasses.Space.Contains(text[end])) end++;
            }
            return true;
        }
        (token, start, end) = (null!, text.Length, text.Length);
        return false;
    }

    private static bool EndsWithWord(ReadOnlySpan<char> text) =>
        Rune.DecodeLastFromUtf16(text, out var rune, out _) == System.Buffers.OperationStatus.Done
            && UnicodeClasses.Word.Contains(rune.Value);

    private static bool StartsWithWord(ReadOnlySpan<char> text) =>
        Rune.DecodeFromUtf16(text, out var rune, out _) == System.Buffers.OperationStatus.Done && UnicodeClasses.Word.Contains(rune.Value);
}
