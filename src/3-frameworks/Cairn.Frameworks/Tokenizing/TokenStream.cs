using System.Text;
using Cairn.Frameworks.Tokenizing.Detokenizing;

namespace Cairn.Frameworks.Tokenizing;

/// <summary>Detokenises as tokens come, and never emits half a character. One per generation; not for concurrent use.</summary>
public sealed class TokenStream
{
    private readonly Tokenizer _tokenizer;
    private readonly bool _skipSpecialTokens;
    private readonly Decoder _decoder = Encoding.UTF8.GetDecoder();
    private StartStrip _strip;
    private bool _begun;

    internal TokenStream(Tokenizer tokenizer, Detokenizer detokenizer, bool skipSpecialTokens)
    {
        _tokenizer = tokenizer;
        _skipSpecialTokens = skipSpecialTokens;
        _strip = new StartStrip(detokenizer);
    }

    /// <summary>The text that is now certain; empty while a character is incomplete.</summary>
    /// <param name="token">The next token. One that the vocabulary lacks adds nothing.</param>
    public string Append(int token)
    {
        if (_skipSpecialTokens && _tokenizer.IsSpecial(token)) return "";
        var bytes = _strip.Apply(_tokenizer.Shown(token, first: !_begun));
        _begun = true;
        return Characters(bytes, flush: false);
    }

    /// <summary>What was held back, an incomplete character as U+FFFD.</summary>
    public string Flush() => Characters([], flush: true);

    private string Characters(ReadOnlySpan<byte> bytes, bool flush)
    {
        var count = _decoder.GetCharCount(bytes, flush);
        if (count == 0 && bytes.IsEmpty && !flush) return "";
        var characters = count <= 256 ? stackalloc char[count] : new char[count];
        return characters[.._decoder.GetChars(bytes, characters, flush)].ToString();
    }
}
