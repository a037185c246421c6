using System.Text.Json;
using Cairn.Frameworks.Sampling;

namespace Cairn.Frameworks.Engine.OpenAi.Answers;

/// <summary>Log-probabilities in OpenAI's two shapes.</summary>
internal static class Logprobs
{
    // JSON has no infinity; OpenAI writes this for what cannot be.
    private const float Least = -9999;

    /// <summary>Chat's: one object per token, its alternatives within it.</summary>
    public static void WriteChat(Utf8JsonWriter json, IReadOnlyList<SampledToken> tokens, TokenTexts texts)
    {
        json.WriteStartObject();
        json.WriteStartArray("content"u8);
        foreach (var token in tokens)
        {
            json.WriteStartObject();
            WriteToken(json, token.Token, token.Logprob, texts);
            json.WriteStartArray("top_logprobs"u8);
            foreach (var top in token.Top)
            {
                json.WriteStartObject();
                WriteToken(json, top.Token, top.Logprob, texts);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteNull("refusal"u8);
        json.WriteEndObject();
    }

    /// <summary>Plain completions': one list per fact.</summary>
    /// <param name="offset">Characters of output before the first token.</param>
    /// <returns>Characters of output after the last token.</returns>
    public static int WriteCompletion(Utf8JsonWriter json, IReadOnlyList<SampledToken> tokens, TokenTexts texts, int offset)
    {
        json.WriteStartObject();
        json.WriteStartArray("tokens"u8);
        foreach (var token in tokens)
            json.WriteStringValue(texts.Of(token.Token).Text);
        json.WriteEndArray();
        json.WriteStartArray("token_logprobs"u8);
        foreach (var token in tokens)
            json.WriteNumberValue(Finite(token.Logprob));
        json.WriteEndArray();
        json.WriteStartArray("top_logprobs"u8);
        foreach (var token in tokens)
            WriteTop(json, token, texts);
        json.WriteEndArray();
        json.WriteStartArray("text_offset"u8);
        foreach (var token in tokens)
        {
            json.WriteNumberValue(offset);
            offset += texts.Of(token.Token).Text.Length;
        }

        json.WriteEndArray();
        json.WriteEndObject();
        return offset;
    }

    // The chosen token is always among them, even where others were likelier.
    private static void WriteTop(Utf8JsonWriter json, SampledToken token, TokenTexts texts)
    {
        var written = new HashSet<string>(StringComparer.Ordinal);
        json.WriteStartObject();
        foreach (var top in token.Top.Append(new TokenLogprob(token.Token, token.Logprob)))
        {
            var text = texts.Of(top.Token).Text;
            if (written.Add(text))
                json.WriteNumber(text, Finite(top.Logprob));
        }

        json.WriteEndObject();
    }

    private static void WriteToken(Utf8JsonWriter json, int token, float logprob, TokenTexts texts)
    {
        var (bytes, text) = texts.Of(token);
        json.WriteString("token"u8, text);
        json.WriteNumber("logprob"u8, Finite(logprob));
        json.WriteStartArray("bytes"u8);
        foreach (var one in bytes.Span)
            json.WriteNumberValue(one);
        json.WriteEndArray();
    }

    private static float Finite(float logprob) => logprob >= Least ? logprob : Least;
}
