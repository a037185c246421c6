using System.Buffers;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Cairn.Frameworks.Engine.OpenAi.Answers;

/// <summary>An answer in one JSON document.</summary>
internal static class WholeAnswer
{
    public static void WriteChat(
        Utf8JsonWriter json, AnswerHead head, IReadOnlyList<CollectedOutput> outputs, Usage usage, TokenTexts? logprobs, ChatTools? tools)
    {
        json.WriteStartObject();
        head.WriteTo(json, "chat.completion"u8);
        json.WriteStartArray("choices"u8);
        for (var i = 0; i < outputs.Count; i++)
        {
            json.WriteStartObject();
            json.WriteNumber("index"u8, i);
            var called = WriteMessage(json, outputs[i].Text, tools);
            json.WritePropertyName("logprobs"u8);
            if (logprobs is null)
                json.WriteNullValue();
            else
                Logprobs.WriteChat(json, outputs[i].Tokens, logprobs);
            json.WriteString("finish_reason"u8, called && outputs[i].Finish!.Reason == FinishReason.Stop ? "tool_calls"
                : Word(outputs[i].Finish!.Reason));
            json.WriteEndObject();
        }

        json.WriteEndArray();
        usage.WriteTo(json);
        json.WriteEndObject();
    }

    /// <param name="echoes">What is said before each output; null says nothing.</param>
    public static void WriteCompletion(
        Utf8JsonWriter json, AnswerHead head, IReadOnlyList<CollectedOutput> outputs, Usage usage, TokenTexts? logprobs,
            IReadOnlyList<string>? echoes)
    {
        json.WriteStartObject();
        head.WriteTo(json, "text_completion"u8);
        json.WriteStartArray("choices"u8);
        for (var i = 0; i < outputs.Count; i++)
        {
            json.WriteStartObject();
            json.WriteNumber("index"u8, i);
            json.WriteString("text"u8, echoes?[i] + outputs[i].Text);
            json.WritePropertyName("logprobs"u8);
            if (logprobs is null)
                json.WriteNullValue();
            else
                Logprobs.WriteCompletion(json, outputs[i].Tokens, logprobs, 0);
            json.WriteString("finish_reason"u8, Word(outputs[i].Finish!.Reason));
            json.WriteEndObject();
        }

        json.WriteEndArray();
        usage.WriteTo(json);
        json.WriteEndObject();
    }

    public static async Task SendAsync(HttpContext context, Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        await using (var json = new Utf8JsonWriter(buffer, WireJson.Options))
            write(json);
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = buffer.WrittenCount;
        await context.Response.BodyWriter.WriteAsync(buffer.WrittenMemory, context.RequestAborted);
    }

    /// <returns>Whether it calls.</returns>
    private static bool WriteMessage(Utf8JsonWriter json, string text, ChatTools? tools)
    {
        var (content, calls) = tools is null ? (text, []) : ToolCallJson.Split(text, tools.NewParser());
        json.WriteStartObject("message"u8);
        json.WriteString("role"u8, "assistant"u8);
        WireJson.WriteText(json, "content"u8, content.Length > 0 || calls.Count == 0 ? content : null);
        json.WriteNull("refusal"u8);
        json.WriteStartArray("annotations"u8);
        json.WriteEndArray();
        if (calls.Count > 0)
        {
            json.WriteStartArray("tool_calls"u8);
            foreach (var (id, name, arguments) in calls)
            {
                json.WriteStartObject();
                ToolCallJson.Write(json, null, id, name, arguments);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }

        json.WriteEndObject();
        return calls.Count > 0;
    }

    private static string Word(FinishReason reason) => reason == FinishReason.Length ? "length" : "stop";
}
