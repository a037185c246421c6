using System.Buffers;
using System.Text.Json;
using System.Text.Unicode;
using Microsoft.AspNetCore.Http;

namespace Cairn.Frameworks.Engine.OpenAi.Requests;

/// <summary>A request's body as one JSON object, or why it is none. Whatever passes can be read without further surprises.</summary>
internal static class RequestBody
{
    private const int MaximumBytes = 16 << 20;
    private static readonly JsonDocumentOptions s_options = new() { MaxDepth = 64, AllowDuplicateProperties = false };

    public static async Task<(JsonDocument? Body, OpenAiError? Error)> ReadAsync(HttpContext context)
    {
        var type = context.Request.ContentType;
        if (type is null || !type.Contains("json", StringComparison.OrdinalIgnoreCase))
        {
            // A web page can post plain text to loopback without asking; it cannot post JSON.
            return (null, new OpenAiError(StatusCodes.Status415UnsupportedMediaType,
                $"The content type is '{type}'; expected application/json.", null, "content_type"));
        }

        try
        {
            return await CollectAsync(context) is { } bytes ? Parse(bytes) : (null, TooLong());
        }
        catch (BadHttpRequestException exception)
        {
            return (null, exception.StatusCode == StatusCodes.Status413PayloadTooLarge ? TooLong()
                : new OpenAiError(exception.StatusCode, exception.Message, null, "body"));
        }
    }

    /// <summary>For tests: the checks without a connection.</summary>
    internal static (JsonDocument? Body, OpenAiError? Error) Parse(ReadOnlyMemory<byte> bytes)
    {
        if (bytes.Length == 0)
            return (null, Refuse("The body is empty; expected a JSON object."));
        if (!Utf8.IsValid(bytes.Span))
            return (null, Refuse("The body is not valid UTF-8."));
        JsonDocument? document = null;
        try
        {
            document = JsonDocument.Parse(bytes, s_options);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
            {
                var kind = document.RootElement.ValueKind;
                document.Dispose();
                return (null, Refuse($"The body is a JSON {kind.ToString().ToLowerInvariant()}; expected an object."));
            }

            if (MayHoldHalfCharacters(bytes.Span))
                CheckTexts(bytes.Span);
            return (document, null);
        }
        catch (JsonException exception)
        {
            document?.Dispose();
            return (null, Refuse($"The body is not JSON: {exception.Message}"));
        }
        catch (InvalidOperationException)
        {
            document?.Dispose();
            return (null, Refuse(@"A text in the body has half of a character: a \u escape of a surrogate without its other half."));
        }
    }

    private static async Task<byte[]?> CollectAsync(HttpContext context)
    {
        if (context.Request.ContentLength > MaximumBytes)
            return null;
        var collected = new ArrayBufferWriter<byte>((int)(context.Request.ContentLength ?? 4096) + 1);
        var reader = context.Request.BodyReader;
        while (true)
        {
            var read = await reader.ReadAsync(context.RequestAborted);
            foreach (var segment in read.Buffer)
                collected.Write(segment.Span);
            reader.AdvanceTo(read.Buffer.End);
            if (collected.WrittenCount > MaximumBytes)
                return null;
            if (read.IsCompleted)
                return collected.WrittenSpan.ToArray();
        }
    }

    private static bool MayHoldHalfCharacters(ReadOnlySpan<byte> bytes) => bytes.IndexOf(@"\ud"u8) >= 0 || bytes.IndexOf(@"\uD"u8) >= 0;

    // Reading a text with half a character throws; better here than wherever the text is used.
    private static void CheckTexts(ReadOnlySpan<byte> bytes)
    {
        var reader = new Utf8JsonReader(bytes);
        while (reader.Read())
        {
            if (reader.ValueIsEscaped)
                reader.GetString();
        }
    }

    private static OpenAiError Refuse(string message) => OpenAiError.Invalid(null, message, "invalid_json");

    private static OpenAiError TooLong() =>
        new(StatusCodes.Status413PayloadTooLarge, $"The body is longer than {MaximumBytes} bytes.", null, "body_too_long");
}
