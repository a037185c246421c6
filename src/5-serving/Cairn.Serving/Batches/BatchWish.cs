using System.Text.Json;
using System.Text.Json.Nodes;
using Cairn.Serving.Files;
using Cairn.Serving.Gateway.Calls;
using Cairn.Serving.Gateway.Dialects;

namespace Cairn.Serving.Batches;

/// <summary>What a client wants of a batch.</summary>
/// <param name="Metadata">As JSON.</param>
internal sealed record BatchWish(string InputFile, string Endpoint, string Metadata, long? OutputSeconds)
{
    private const int MostPairs = 16;
    private const int MostKeyLength = 64;
    private const int MostValueLength = 512;
    private static readonly string[] s_known = ["input_file_id", "endpoint", "completion_window", "metadata", "output_expires_after"];

    /// <summary>Reads a body; says what is wrong with it in OpenAI's words.</summary>
    public static (BatchWish? Wish, CallError? Error) Read(ReadOnlySpan<byte> body)
    {
        try
        {
            return (Read(Fields.Parse(body)), null);
        }
        catch (FieldFault fault)
        {
            return (null, CallError.Invalid(fault.Message, fault.Param));
        }
    }

    private static BatchWish Read(JsonObject body)
    {
        if (body.FirstOrDefault(member => !s_known.Contains(member.Key)).Key is { } unknown)
            throw new FieldFault($"Unknown parameter: '{OpenAiAnswers.Short(unknown)}'.", OpenAiAnswers.Short(unknown));
        foreach (var name in s_known.Take(3))
        {
            if (body[name] is null)
                throw new FieldFault($"Missing required parameter: '{name}'.", name);
        }
        var endpoint = OneOf(body, "endpoint", [.. BatchKinds.Paths]);
        OneOf(body, "completion_window", "24h");
        return new BatchWish(Fields.Text(body["input_file_id"], "input_file_id"), endpoint, MetadataOf(body["metadata"]), SecondsOf(body["output_expires_after"]));
    }

    private static string OneOf(JsonObject body, string name, params string[] supported)
    {
        var value = Fields.Text(body[name], name);
        return supported.Contains(value) ? value
            : throw new FieldFault($"Invalid value: '{OpenAiAnswers.Short(value)}'. Supported values are: '{string.Join("', '", supported)}'.", name);
    }

    private static string MetadataOf(JsonNode? node)
    {
        if (node is null)
            return "null";
        var pairs = Fields.Object(node, "metadata");
        if (pairs.Count > MostPairs)
            throw new FieldFault($"Invalid 'metadata': expected at most {MostPairs} pairs, got {pairs.Count}.", "metadata");
        foreach (var (key, value) in pairs)
        {
            if (key.Length > MostKeyLength || Fields.Text(value, "metadata").Length > MostValueLength)
                throw new FieldFault($"Invalid 'metadata': expected keys of at most {MostKeyLength} characters and values of at most {MostValueLength}.", "metadata");
        }
        return Fields.Json(pairs);
    }

    private static long? SecondsOf(JsonNode? node)
    {
        if (node is null)
            return null;
        var wish = Fields.Object(node, "output_expires_after");
        var seconds = wish["seconds"] is JsonValue value && value.GetValueKind() == JsonValueKind.Number && value.TryGetValue<long>(out var number) ? number : -1;
        var (after, error) = FileExpiry.Read(Fields.TextOrNull(wish["anchor"]), seconds, "output_expires_after");
        return error is null ? (long)after.TotalSeconds : throw new FieldFault(error.Message, error.Param);
    }
}
