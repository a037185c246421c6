using System.Globalization;
using System.Text;
using System.Text.Unicode;
using Cairn.Frameworks.Tokenizing;

namespace Cairn.Frameworks.Engine.OpenAi.Answers;

/// <summary>How single tokens are told beside log-probabilities.</summary>
internal sealed class TokenTexts(Tokenizer tokenizer)
{
    /// <summary>The token's bytes and its text; a token that holds no whole characters is written <c>bytes:\xe2\x80</c>, as OpenAI
    /// does.</summary>
    public (ReadOnlyMemory<byte> Bytes, string Text) Of(int token)
    {
        var bytes = tokenizer.BytesOf(token);
        if (bytes.Length == 0)
        {
            var written = tokenizer.Decode([token], skipSpecialTokens: false);
            return (Encoding.UTF8.GetBytes(written), written);
        }

        if (Utf8.IsValid(bytes.Span))
            return (bytes, Encoding.UTF8.GetString(bytes.Span));
        var text = new StringBuilder("bytes:");
        foreach (var one in bytes.Span)
            text.Append(CultureInfo.InvariantCulture, $@"\x{one:x2}");
        return (bytes, text.ToString());
    }
}
