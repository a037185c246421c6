using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Cairn.Serving.Gateway.Dialects;

/// <summary>A request or an answer that has no meaning in the other dialect. Caught where a translation is asked for.</summary>
internal sealed class FieldFault(string message, string? param = null) : Exception(message)
{
    public string? Param { get; } = param;
}

/// <summary>Reads JSON whose shape is nobody's promise.</summary>
internal static class Fields
{
    private const int MostDepth = 128;
    private static readonly JsonDocumentOptions s_reading = new() { MaxDepth = MostDepth, AllowDuplicateProperties = false };
    private static readonly JsonSerializerOptions s_writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, MaxDepth = MostDepth };

    /// <exception cref="FieldFault">It is not one JSON object, or names a member twice.</exception>
    public static JsonObject Parse(ReadOnlySpan<byte> json)
    {
        try
        {
            return JsonNode.Parse(json, documentOptions: s_reading) as JsonObject ?? throw new FieldFault("A JSON object was expected.");
        }
        catch (JsonException broken)
        {
            throw new FieldFault($"The JSON cannot be read: {broken.Message}");
        }
    }

    public static byte[] Bytes(JsonNode node) => JsonSerializer.SerializeToUtf8Bytes(node, s_writing);

    public static string Json(JsonNode? node) => node is null ? "null" : node.ToJsonString(s_writing);

    public static JsonObject Object(JsonNode? node, string param) => node as JsonObject ?? throw Wrong(param, "an object", node);

    public static JsonArray Array(JsonNode? node, string param) => node as JsonArray ?? throw Wrong(param, "an array", node);

    public static string Text(JsonNode? node, string param) => TextOrNull(node) ?? throw Wrong(param, "a string", node);

    public static string? TextOrNull(JsonNode? node)
    {
        try
        {
            return node is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;
        }
        catch (InvalidOperationException)
        {
            throw new FieldFault("A string holds half of a surrogate pair.");
        }
    }

    /// <summary>A count; 0 where there is none.</summary>
    public static long Count(JsonNode? node) => node is JsonValue value && value.TryGetValue<long>(out var number) && number > 0 ? number : 0;

    public static bool IsTrue(JsonNode? node) => node is JsonValue value && value.TryGetValue<bool>(out var yes) && yes;

    /// <summary>Members that both dialects call the same.</summary>
    public static void Copy(JsonObject from, JsonObject to, params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            if (from[name] is { } value)
                to[name] = value.DeepClone();
        }
    }

    public static JsonArray Strings(IEnumerable<string> strings) => [.. strings.Select(s => (JsonNode)s)];

    public static FieldFault Wrong(string param, string expected, JsonNode? got)
    {
        var shown = got switch { null => "nothing", JsonObject => "an object", JsonArray => "an array", _ => got.ToJsonString() };
        return new FieldFault($"Invalid '{param}': expected {expected}, got {(shown.Length > 60 ? "a longer value" : shown)}.", param);
    }

    public static FieldFault Unspoken(string param, string what) => new($"Unsupported '{param}': {what}", param);
}
