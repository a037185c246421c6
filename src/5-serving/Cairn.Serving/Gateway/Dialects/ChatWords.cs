using System.Text.Json.Nodes;

namespace Cairn.Serving.Gateway.Dialects;

/// <summary>OpenAI's chat completions, as the translations read and write them.</summary>
internal static class ChatWords
{
    public static JsonObject ToolCall(string id, string name, string arguments) => new()
    {
        ["id"] = id, ["type"] = "function", ["function"] = new JsonObject { ["name"] = name, ["arguments"] = arguments },
    };

    /// <summary>The first choice; null in a chunk that has none.</summary>
    public static JsonObject? Choice(JsonObject answer) => answer["choices"] is JsonArray { Count: > 0 } choices ? choices[0] as JsonObject : null;

    /// <exception cref="FieldFault">The stream tells of an error.</exception>
    public static void ThrowOnError(JsonObject chunk)
    {
        if (chunk["error"] is { } error)
            throw new FieldFault(Fields.TextOrNull((error as JsonObject)?["message"]) ?? Fields.TextOrNull(error) ?? "the replica told of an error");
    }

    public static (long Input, long Cached, long Output) Usage(JsonNode? usage)
    {
        var input = Fields.Count(usage?["prompt_tokens"]);
        var cached = (usage?["prompt_tokens_details"] as JsonObject)?["cached_tokens"];
        return (input, Math.Min(input, Fields.Count(cached)), Fields.Count(usage?["completion_tokens"]));
    }
}
