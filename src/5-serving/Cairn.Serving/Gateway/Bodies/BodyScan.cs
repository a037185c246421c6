using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace Cairn.Serving.Gateway.Bodies;

/// <summary>The fields of one kind of request.</summary>
/// <param name="Prompt">The field that the prompt is in.</param>
/// <param name="Maximums">The fields that limit the output, the newest first; empty where there is no output.</param>
/// <param name="HasUsageOption">Whether a stream tells its usage only when asked by <c>stream_options</c>.</param>
internal sealed record BodyShape(string Prompt, string[] Maximums, bool HasUsageOption)
{
    public static readonly BodyShape Chat = new("messages", ["max_completion_tokens", "max_tokens"], true);
    public static readonly BodyShape Completion = new("prompt", ["max_tokens"], true);
    public static readonly BodyShape Embedding = new("input", [], false);
    public static readonly BodyShape Response = new("input", ["max_output_tokens"], false);
    public static readonly BodyShape Counting = new("messages", [], false);
    public static readonly BodyShape Message = new("messages", ["max_tokens"], false);
}

/// <summary>
/// Reads a body once from front to back and keeps what the gateway needs: no tree is built, and a prompt of megabytes is stepped over.
/// The whole body is checked to be one JSON object in valid UTF-8, so that nothing malformed reaches a replica.
/// </summary>
internal static class BodyScan
{
    private const int MostChoices = 128;
    private const int MostNameBytes = 256;

    /// <param name="needsModel">Whether a body without a model is at fault.</param>
    public static BodyFault? Read(ReadOnlySpan<byte> body, BodyShape shape, out BodyFacts facts, bool needsModel = true)
    {
        facts = new BodyFacts { Model = "", Choices = 1 };
        if (!Utf8.IsValid(body))
            return new BodyFault("The body is not valid UTF-8.", null);
        try
        {
            return Members(body, shape, needsModel, ref facts);
        }
        catch (JsonException broken)
        {
            return new BodyFault($"The body is not valid JSON: line {broken.LineNumber + 1}, byte {broken.BytePositionInLine + 1}.", null);
        }
    }

    private static BodyFault? Members(ReadOnlySpan<byte> body, BodyShape shape, bool needsModel, ref BodyFacts facts)
    {
        var reader = new Utf8JsonReader(body, new JsonReaderOptions { MaxDepth = 128 });
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            return new BodyFault("The body is not a JSON object.", null);
        facts.FirstMember = (int)reader.BytesConsumed;
        facts.IsEmpty = true;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            facts.IsEmpty = false;
            if (Member(ref reader, shape, ref facts) is { } fault)
                return fault;
        }
        if (reader.Read())
            return new BodyFault("The body goes on after its JSON object.", null);
        if (needsModel && facts.ModelPiece.IsNone)
            return new BodyFault("You must provide a model parameter.", "model");
        return facts.Prompt.IsNone ? new BodyFault($"Missing required parameter: '{shape.Prompt}'.", shape.Prompt) : null;
    }

    private static BodyFault? Member(ref Utf8JsonReader reader, BodyShape shape, ref BodyFacts facts)
    {
        if (reader.ValueTextEquals("model"u8))
            return Model(ref reader, ref facts);
        if (reader.ValueTextEquals("stream"u8))
        {
            reader.Read();
            facts.Stream = reader.TokenType == JsonTokenType.True;
            return reader.TokenType is JsonTokenType.True or JsonTokenType.False or JsonTokenType.Null ? null : Wrong("stream", "a boolean", ref reader);
        }
        if (reader.ValueTextEquals("n"u8))
        {
            reader.Read();
            if (reader.TokenType == JsonTokenType.Null)
                return null;
            return reader.TokenType == JsonTokenType.Number && reader.TryGetInt32(out facts.Choices) && facts.Choices is >= 1 and <= MostChoices
                ? null : Wrong("n", $"an integer from 1 to {MostChoices}", ref reader);
        }
        if (reader.ValueTextEquals("stream_options"u8))
            return StreamOptions(ref reader, ref facts);
        if (reader.ValueTextEquals("user"u8) || reader.ValueTextEquals("prompt_cache_key"u8))
        {
            reader.Read();
            if (reader.TokenType == JsonTokenType.String && reader.ValueSpan.Length <= MostNameBytes)
                facts.Session ??= reader.GetString();
            reader.Skip();
            return null;
        }
        if (reader.ValueTextEquals(shape.Prompt))
        {
            facts.Prompt = Value(ref reader);
            return null;
        }
        foreach (var name in shape.Maximums)
        {
            if (reader.ValueTextEquals(name))
                return Maximum(ref reader, name, ref facts);
        }
        reader.Read();
        reader.Skip();
        return null;
    }

    private static BodyFault? Model(ref Utf8JsonReader reader, ref BodyFacts facts)
    {
        // Two names would let the limits look at one and the replica at the other.
        if (!facts.ModelPiece.IsNone)
            return new BodyFault("The body names 'model' twice.", "model");
        reader.Read();
        if (reader.TokenType != JsonTokenType.String || reader.ValueSpan.Length is 0 or > MostNameBytes)
            return Wrong("model", $"a name of 1 to {MostNameBytes} bytes", ref reader);
        facts.ModelPiece = new Piece((int)reader.TokenStartIndex, (int)(reader.BytesConsumed - reader.TokenStartIndex));
        facts.Model = reader.GetString()!;
        return null;
    }

    private static BodyFault? Maximum(ref Utf8JsonReader reader, string name, ref BodyFacts facts)
    {
        reader.Read();
        if (reader.TokenType == JsonTokenType.Null)
        {
            facts.MaximumPiece = facts.Maximum is null ? new Piece((int)reader.TokenStartIndex, 4) : facts.MaximumPiece;
            return null;
        }
        if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt64(out var most) || most is < 0 or > int.MaxValue)
            return Wrong(name, "an integer of at least 0", ref reader);
        if (facts.Maximum is not null)
            return new BodyFault($"The body limits its output twice; '{name}' is the second.", name);
        facts.Maximum = most;
        facts.MaximumPiece = new Piece((int)reader.TokenStartIndex, (int)(reader.BytesConsumed - reader.TokenStartIndex));
        return null;
    }

    private static BodyFault? StreamOptions(ref Utf8JsonReader reader, ref BodyFacts facts)
    {
        if (!facts.StreamOptions.IsNone)
            return new BodyFault("The body names 'stream_options' twice.", "stream_options");
        reader.Read();
        if (reader.TokenType == JsonTokenType.Null)
        {
            facts.StreamOptions = new Piece((int)reader.TokenStartIndex, 4);
            return null;
        }
        if (reader.TokenType != JsonTokenType.StartObject)
            return Wrong("stream_options", "an object", ref reader);
        var start = (int)reader.TokenStartIndex;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isUsage = reader.ValueTextEquals("include_usage"u8);
            reader.Read();
            if (isUsage)
                facts.IncludesUsage = reader.TokenType == JsonTokenType.True;
            reader.Skip();
        }
        facts.StreamOptions = new Piece(start, (int)reader.BytesConsumed - start);
        return null;
    }

    private static Piece Value(ref Utf8JsonReader reader)
    {
        reader.Read();
        var start = (int)reader.TokenStartIndex;
        reader.Skip();
        return new Piece(start, (int)reader.BytesConsumed - start);
    }

    private static BodyFault Wrong(string param, string expected, ref Utf8JsonReader reader)
    {
        var shown = reader.TokenType switch
        {
            JsonTokenType.StartObject => "an object",
            JsonTokenType.StartArray => "an array",
            _ => reader.ValueSpan.Length > 40 ? "a longer value" : $"'{Encoding.UTF8.GetString(reader.ValueSpan)}'",
        };
        return new BodyFault($"Invalid '{param}': expected {expected}, got {shown}.", param);
    }
}
