using System.Runtime.InteropServices;
using System.Text.Json;

namespace Cairn.Serving.Batches;

/// <summary>One request of a batch.</summary>
/// <param name="Body">As the client wrote it.</param>
/// <param name="Streams">Whether it asks for a stream, which nobody would read.</param>
internal sealed record BatchLine(int Number, string CustomId, string Model, ReadOnlyMemory<byte> Body, bool Streams)
{
    private const int MostIdLength = 512;
    private static readonly JsonDocumentOptions s_reading = new() { MaxDepth = 130, AllowDuplicateProperties = false };

    /// <returns>The request; or what is wrong with the line.</returns>
    public static (BatchLine? Line, BatchError? Error) Parse(InputLine line, string endpoint)
    {
        if (line.Bytes is null)
            return (null, new BatchError("line_too_large", "This line is longer than this server takes.", null, line.Number));
        try
        {
            using var document = JsonDocument.Parse(line.Bytes, s_reading);
            return Parse(document.RootElement, line.Number, endpoint);
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException)
        {
            // A string with half of a surrogate pair shows only when it is read.
            return (null, new BatchError("invalid_json_line", "This line is not parseable as valid JSON.", null, line.Number));
        }
    }

    private static (BatchLine?, BatchError?) Parse(JsonElement root, int number, string endpoint)
    {
        if (root.ValueKind != JsonValueKind.Object)
            return (null, new BatchError("invalid_json_line", "This line is not a JSON object.", null, number));
        if (TextOf(root, "custom_id") is not { Length: > 0 } id)
            return Missing("custom_id");
        if (id.Length > MostIdLength)
            return (null, new BatchError("invalid_custom_id", $"The custom_id is longer than {MostIdLength} characters.", "custom_id", number));
        if (TextOf(root, "method") is not { } method)
            return Missing("method");
        if (method != "POST")
            return (null, new BatchError("invalid_method", $"The method '{OpenAiAnswers.Short(method)}' is not supported; expected 'POST'.", "method", number));
        if (TextOf(root, "url") is not { } url)
            return Missing("url");
        if (url != endpoint)
            return (null, new BatchError("invalid_url", "The URL provided for this request does not match the batch endpoint.", "url", number));
        if (!root.TryGetProperty("body", out var body) || body.ValueKind != JsonValueKind.Object)
            return Missing("body");
        if (TextOf(body, "model") is not { Length: > 0 } model)
            return Missing("body.model");
        var streams = body.TryGetProperty("stream", out var stream) && stream.ValueKind == JsonValueKind.True;
        return (new BatchLine(number, id, model, JsonMarshal.GetRawUtf8Value(body).ToArray(), streams), null);

        (BatchLine?, BatchError?) Missing(string name) => (null, new BatchError("missing_required_parameter", $"Missing required parameter: '{name}'.", name, number));
    }

    private static string? TextOf(JsonElement parent, string name) => parent.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
