using System.Text;
using Cairn.Frameworks.Tokenizing.Detokenizing;
using Cairn.Frameworks.Tokenizing.Patterns;
using Cairn.Frameworks.Tokenizing.Reading;

namespace Cairn.Frameworks.Tokenizing;

/// <summary>Text to token ids and back, as a model's <c>tokenizer.json</c> says. Safe for concurrent use.</summary>
public sealed class Tokenizer
{
    private readonly TokenizerParts _parts;

    private Tokenizer(TokenizerParts parts) => _parts = parts;

    /// <summary>One more than the highest token id.</summary>
    public int VocabularySize => _parts.Detokenizer.Middle.Length;

    /// <summary>Reads <c>tokenizer.json</c>, and <c>tokenizer_config.json</c> where there is one, from a model's folder.</summary>
    /// <exception cref="TokenizerFormatException">A file is missing, malformed or asks for something unknown; the message names file,
    /// place and value.</exception>
    public static Tokenizer Load(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        return new Tokenizer(TokenizerReader.Read(folder));
    }

    /// <summary>Special tokens written out in <paramref name="text"/> become their ids.</summary>
    /// <param name="text">Any text; lone surrogates count as U+FFFD.</param>
    /// <param name="addSpecialTokens">Whether the post-processor adds what it adds (a beginning of sequence, say).</param>
    /// <exception cref="ArgumentException">The text drives the tokenizer's own pattern into more work than its length allows.</exception>
    public int[] Encode(string text, bool addSpecialTokens = true) =>
        _parts.Template.Apply(Plain(text), [], pair: false, addSpecialTokens).Ids;

    /// <summary>
    /// One text, or a pair as a reranker takes it, cut to a length: of a pair the longer text loses tokens from its end, then both do
    /// evenly.
    /// </summary>
    /// <param name="first">The text, or the pair's first, a query say.</param>
    /// <param name="second">The pair's second, a document say; null for one text alone.</param>
    /// <param name="maximumTokens">The most tokens to answer with, special ones included; null for no limit.</param>
    /// <param name="addSpecialTokens">Whether the post-processor adds what it adds.</param>
    /// <exception cref="ArgumentException">Not even the special tokens fit into <paramref name="maximumTokens"/>, or a text is too
    /// laborious.</exception>
    public TokenizedText EncodePair(string first, string? second = null, int? maximumTokens = null, bool addSpecialTokens = true)
    {
        var (one, other) = (Plain(first), second is null ? [] : Plain(second));
        var room = maximumTokens - (addSpecialTokens ? _parts.Template.SpecialsOf(second is not null) : 0) ?? int.MaxValue;
        if (room < 0)
        {
            throw new ArgumentException(
                $"At most {maximumTokens} tokens leave no room for the tokenizer's {maximumTokens - room} special tokens; allow more.",
                    nameof(maximumTokens));
        }
        var (keptOne, keptOther) = Keep(one.Length, other.Length, room);
        var fitted = _parts.Template.Apply(one.AsSpan(0, keptOne), other.AsSpan(0, keptOther), second is not null, addSpecialTokens);
        return fitted with { Truncated = keptOne < one.Length || keptOther < other.Length };
    }

    /// <summary>Bytes that form no character become U+FFFD.</summary>
    /// <param name="tokens">Ids; one that the vocabulary lacks adds nothing.</param>
    /// <param name="skipSpecialTokens">Whether special tokens are left out.</param>
    public string Decode(ReadOnlySpan<int> tokens, bool skipSpecialTokens = true)
    {
        var bytes = new List<byte>(tokens.Length * 4);
        var (strip, begun) = (new StartStrip(_parts.Detokenizer), false);
        foreach (var token in tokens)
        {
            if (skipSpecialTokens && IsSpecial(token)) continue;
            bytes.AddRange(strip.Apply(Shown(token, first: !begun)));
            begun = true;
        }
        return Encoding.UTF8.GetString(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(bytes));
    }

    /// <summary>
    /// The UTF-8 bytes that a token adds in the middle of a text; empty for a special token. What constraints and log-probabilities are
    /// made of.
    /// </summary>
    public ReadOnlyMemory<byte> BytesOf(int token) => IsSpecial(token) ? ReadOnlyMemory<byte>.Empty : Shown(token, first: false);

    /// <summary>Whether the token is marked special: never shown, never allowed in constrained text.</summary>
    public bool IsSpecial(int token) => _parts.Added.ById(token) is { Special: true };

    /// <summary>The id of a token by its written form, special ones included.</summary>
    public int? IdOf(string token) => _parts.Added.IdOf(token) ?? (_parts.Segmenter.Vocabulary.TryId(token, out var id) ? id : null);

    /// <summary>
    /// Turns one generation's tokens into text as they come. What it emits and flushes is what <see cref="Decode"/> gives for all of
    /// them.
    /// </summary>
    public TokenStream NewStream(bool skipSpecialTokens = true) => new(this, _parts.Detokenizer, skipSpecialTokens);

    internal byte[] Shown(int token, bool first) => _parts.Detokenizer.BytesOf(token, first);

    /// <summary>Both halves of the room, the odd token to the longer, unless the shorter needs less than its half.</summary>
    private static (int One, int Other) Keep(int one, int other, int room)
    {
        if (one + (long)other <= room) return (one, other);
        var shorter = Math.Min(Math.Min(one, other), room / 2);
        return one > other ? (room - shorter, shorter) : (shorter, Math.Min(other, room - shorter));
    }

    private int[] Plain(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var ids = new List<int>();
        try
        {
            new EncodingPass(_parts, ids).Append(WellFormed(text));
        }
        catch (PatternLimitException e)
        {
            throw new ArgumentException(e.Message, nameof(text), e);
        }
        return [.. ids];
    }

    private static string WellFormed(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (!char.IsSurrogate(text[i])) continue;
            if (i + 1 < text.Length && char.IsSurrogatePair(text[i], text[i + 1])) i++;
            else return Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text));
        }
        return text;
    }
}
