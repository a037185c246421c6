using System.Globalization;
using System.Text;
using Cairn.Frameworks.Tokenizing.Splitting;

namespace Cairn.Frameworks.Tokenizing.Detokenizing;

/// <summary>A token on its way to bytes.</summary>
/// <param name="Text">As it is written now.</param>
/// <param name="Bytes">Set once the token has become bytes; later steps leave those alone.</param>
/// <param name="First">Whether the token stands at the start.</param>
/// <param name="Added">Whether it is an added token, which stands for itself.</param>
internal readonly record struct DecodedToken(string Text, byte[]? Bytes, bool First, bool Added);

/// <summary>One decoder of a <c>tokenizer.json</c>, for one token at a time.</summary>
internal delegate DecodedToken DecoderStep(DecodedToken token);

internal static class DecoderSteps
{
    /// <summary>Characters of GPT-2's alphabet back to bytes. A token with other characters stands for itself.</summary>
    public static DecodedToken ByteLevel(DecodedToken token)
    {
        if (token.Bytes is not null) return token;
        var text = token.Text;
        var bytes = new byte[text.Length];
        for (var i = 0; i < text.Length; i++)
        {
            var value = token.Added ? -1 : ByteCharacters.ByteOf(text[i]);
            if (value < 0) return token with { Bytes = Encoding.UTF8.GetBytes(text) };
            bytes[i] = (byte)value;
        }
        return token with { Bytes = bytes };
    }

    /// <summary><c>&lt;0x0A&gt;</c> is the byte that it names.</summary>
    public static DecodedToken ByteFallback(DecodedToken token) =>
        token is { Bytes: null, Text: { Length: 6 } text } && text.StartsWith("<0x", StringComparison.Ordinal) && text[5] == '>'
        && byte.TryParse(text.AsSpan(3, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value)
            ? token with { Bytes = [value] }
            : token;

    /// <summary>Changes what is still text.</summary>
    public static DecoderStep OfText(Func<string, bool, string> change) =>
        token => token.Bytes is null ? token with { Text = change(token.Text, token.First) } : token;

    public static DecoderStep Metaspace(char replacement, bool prepended) => OfText((text, first) =>
        text.Replace(replacement.ToString(), first && prepended ? "" : " ", StringComparison.Ordinal));

    public static DecoderStep WordPiece(string prefix, bool cleanUp) => OfText((text, first) =>
    {
        if (!first) text = prefix.Length > 0 && text.StartsWith(prefix, StringComparison.Ordinal) ? text[prefix.Length..] : " " + text;
        return cleanUp ? CleanUp(text) : text;
    });

    /// <summary>English punctuation loses the space before it.</summary>
    private static string CleanUp(string text)
    {
        foreach (var ending in (ReadOnlySpan<string>)[".", "?", "!", ","]) text = text.Replace(" " + ending, ending,
            StringComparison.Ordinal);
        text = text.Replace(" ' ", "'", StringComparison.Ordinal);
        foreach (var ending in (ReadOnlySpan<string>)["n't", "'m", "'s", "'ve", "'re"]) text = text.Replace(" " + ending, ending,
            StringComparison.Ordinal);
        return text.Replace(" do not", " don't", StringComparison.Ordinal);
    }

    public static DecoderStep Strip(char content, int left, int right) => OfText((text, _) =>
    {
        var (start, end) = (0, text.Length);
        while (start < left && start < end && text[start] == content) start++;
        while (text.Length - end < right && end > start && text[end - 1] == content) end--;
        return text[start..end];
    });
}
