using System.Text.Json;

namespace Cairn.Serving.Gateway.Calls;

/// <summary>
/// Finds the usage in an answer, OpenAI's and Anthropic's words alike. A quote inside a JSON string is escaped, so the bytes <c>"usage":</c> occur only as a member's name.
/// </summary>
internal static class UsageScan
{
    /// <summary>The last usage object in a piece of JSON; null where there is none.</summary>
    public static TokenUsage? Find(ReadOnlySpan<byte> json)
    {
        for (var end = json.Length; json[..end].LastIndexOf("\"usage\":"u8) is var at and >= 0; end = at)
        {
            var value = json[(at + 8)..].TrimStart(" \t\r\n"u8);
            if (value.Length > 0 && value[0] == '{' && Read(value) is { } usage)
                return usage;
        }
        return null;
    }

    private static TokenUsage? Read(ReadOnlySpan<byte> value)
    {
        var (input, output, cached, beside, created, read) = (0L, 0L, 0L, 0L, 0L, false);
        try
        {
            var reader = new Utf8JsonReader(value, isFinalBlock: false, default);
            reader.Read();
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                if (reader.ValueTextEquals("prompt_tokens"u8) || reader.ValueTextEquals("input_tokens"u8))
                    read |= Number(ref reader, ref input);
                else if (reader.ValueTextEquals("completion_tokens"u8) || reader.ValueTextEquals("output_tokens"u8))
                    read |= Number(ref reader, ref output);
                else if (reader.ValueTextEquals("cache_read_input_tokens"u8))
                    Number(ref reader, ref beside);
                else if (reader.ValueTextEquals("cache_creation_input_tokens"u8))
                    Number(ref reader, ref created);
                else if (reader.ValueTextEquals("prompt_tokens_details"u8) || reader.ValueTextEquals("input_tokens_details"u8))
                    Details(ref reader, ref cached);
                else if (!reader.Read() || !reader.TrySkip())
                    return null;
            }
            // Anthropic counts what was read from and written to its cache beside the input; OpenAI within it.
            return read && reader.TokenType == JsonTokenType.EndObject ? new TokenUsage(input + beside + created, cached + beside, output) : null;
        }
        catch (JsonException)
        {
            return null; // Cut off, or not what it seemed: it counts as no usage, and the caller estimates.
        }
    }

    private static bool Number(ref Utf8JsonReader reader, ref long number)
    {
        if (!reader.Read() || reader.TokenType != JsonTokenType.Number || !reader.TryGetInt64(out var value) || value < 0)
            return false;
        number = value;
        return true;
    }

    private static void Details(ref Utf8JsonReader reader, ref long cached)
    {
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            return;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("cached_tokens"u8))
                Number(ref reader, ref cached);
            else if (!reader.Read() || !reader.TrySkip())
                return;
        }
    }
}
