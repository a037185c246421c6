using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Cairn.Serving.Gateway.Calls;
using Cairn.Serving.Gateway.Snapshots;

namespace Cairn.Serving.Batches;

/// <summary>Lines of output files and error files, as OpenAI writes them; pure.</summary>
internal static class BatchAnswers
{
    private static readonly JsonWriterOptions s_writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, MaxDepth = 256 };
    private static readonly JsonDocumentOptions s_reading = new() { MaxDepth = 256 };

    /// <summary>What a request was answered.</summary>
    public static LineResult Of(BatchRow batch, BatchLine line, InnerAnswer answer)
    {
        var usage = answer.Usage;
        var text = answer.Broken
            ? Write(batch, line.Number, line.CustomId, null, ("response_incomplete", "The answer broke off, or was larger than a batch keeps."))
            : Write(batch, line.Number, line.CustomId, (answer.Status, answer.RequestId, answer.Body), null);
        return new LineResult(line.Number, !answer.Broken && answer.Status is >= 200 and < 300, text, usage.Input, usage.Cached, usage.Output);
    }

    /// <summary>A request that is refused before it is asked.</summary>
    public static LineResult Refused(BatchRow batch, BatchLine line, CallError error) =>
        new(line.Number, false, Write(batch, line.Number, line.CustomId, (error.Status, "", ErrorAnswers.Json(error, ApiDialect.OpenAi)), null));

    /// <summary>A request that was never answered.</summary>
    public static string Unrun(BatchRow batch, BatchLine line, BatchPhase end) => Write(batch, line.Number, line.CustomId, null, end == BatchPhase.Expired
        ? ("batch_expired", "This request could not be executed before the completion window expired.")
        : ("batch_cancelled", "This request was not executed because the batch was cancelled."));

    private static string Write(BatchRow batch, int number, string customId, (int Status, string RequestId, byte[] Body)? response, (string Code, string Message)? error)
    {
        using var text = new MemoryStream();
        using (var json = new Utf8JsonWriter(text, s_writing))
        {
            json.WriteStartObject();
            json.WriteString("id"u8, batch.RequestId(number));
            json.WriteString("custom_id"u8, customId);
            if (response is { } answer)
            {
                json.WriteStartObject("response"u8);
                json.WriteNumber("status_code"u8, answer.Status);
                json.WriteString("request_id"u8, answer.RequestId);
                json.WritePropertyName("body"u8);
                WriteBody(json, answer.Body);
                json.WriteEndObject();
            }
            else
            {
                json.WriteNull("response"u8);
            }
            if (error is { } wrong)
            {
                json.WriteStartObject("error"u8);
                json.WriteString("code"u8, wrong.Code);
                json.WriteString("message"u8, wrong.Message);
                json.WriteEndObject();
            }
            else
            {
                json.WriteNull("error"u8);
            }
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(text.GetBuffer(), 0, (int)text.Length);
    }

    /// <summary>An engine may write its JSON over many lines, or something else altogether.</summary>
    private static void WriteBody(Utf8JsonWriter json, byte[] body)
    {
        try
        {
            using var document = JsonDocument.Parse(body, s_reading);
            document.RootElement.WriteTo(json);
        }
        catch (JsonException)
        {
            json.WriteStringValue(Encoding.UTF8.GetString(body));
        }
    }
}
