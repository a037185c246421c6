namespace Cairn.Frameworks.Tokenizing;

/// <summary>Text to token ids and back, as a model's <c>tokenizer.json</c> says. Safe for concurrent use.</summary>
public sealed class Tokenizer
{
    /// <summary>One more than the highest token id.</summary>
    public int VocabularySize => throw new NotImplementedException();

    /// <summary>Reads <c>tokenizer.json</c>, and <c>tokenizer_config.json</c> where there is one, from a model's folder.</summary>
    /// <exception cref="TokenizerFormatException">A file is missing, malformed or asks for something unknown; the message names file, place and value.</exception>
    public static Tokenizer Load(string folder) => throw new NotImplementedException();

    /// <summary>Special tokens written out in <paramref name="text"/> become their ids.</summary>
    /// <param name="text">Any text; lone surrogates count as U+FFFD.</param>
    /// <param name="addSpecialTokens">Whether the post-processor adds what it adds (a beginning of sequence, say).</param>
    public int[] Encode(string text, bool addSpecialTokens = true) => throw new NotImplementedException();

    /// <summary>Bytes that form no character become U+FFFD.</summary>
    public string Decode(ReadOnlySpan<int> tokens, bool skipSpecialTokens = true) => throw new NotImplementedException();

    /// <summary>The UTF-8 bytes that a token adds in the middle of a text; empty for a special token. What constraints and log-probabilities are made of.</summary>
    public ReadOnlyMemory<byte> BytesOf(int token) => throw new NotImplementedException();

    /// <summary>Whether the token is marked special: never shown, never allowed in constrained text.</summary>
    public bool IsSpecial(int token) => throw new NotImplementedException();

    /// <summary>The id of a token by its written form, special ones included.</summary>
    public int? IdOf(string token) => throw new NotImplementedException();

    /// <summary>Turns one generation's tokens into text as they come.</summary>
    public TokenStream NewStream() => throw new NotImplementedException();
}

/// <summary>Detokenises as tokens come, and never emits half a character. One per generation; not for concurrent use.</summary>
public sealed class TokenStream
{
    /// <summary>The text that is now certain; empty while a character is incomplete.</summary>
    public string Append(int token) => throw new NotImplementedException();

    /// <summary>What was held back, an incomplete character as U+FFFD.</summary>
    public string Flush() => throw new NotImplementedException();
}

/// <summary>A tokenizer's file cannot be used.</summary>
public sealed class TokenizerFormatException(string message, Exception? inner = null) : Exception(message, inner);
