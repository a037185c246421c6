using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Cairn.Frameworks.Engine.OpenAi.Requests;

/// <summary>Reads a conversation into what chat templates see: contents as one text each, arguments of calls as objects.</summary>
internal static class MessageFields
{
    private const int MostMessages = 16_384;
    private const int MostParts = 4096;
    private const int MostCalls = 128;

    public static JsonArray Read(Fields fields)
    {
        var messages = new JsonArray();
        if (!fields.Has("messages"))
            fields.Refuse("messages", "messages is missing; expected a list of messages.", "missing_required_parameter");
        foreach (var message in fields.Objects("messages", MostMessages))
            messages.Add(Message(message));
        if (messages.Count == 0)
            fields.Refuse("messages", "messages is empty; expected at least one message.");
        return messages;
    }

    private static JsonObject Message(Fields message)
    {
        if (!message.Has("role"))
            message.Refuse("role", $"{message.PathOf("role")} is missing; expected system, developer, user, assistant or tool.");
        var role = message.OneOf("role", "system", "developer", "user", "assistant", "tool");

        // What OpenAI calls developer since 2025, templates know as system.
        var result = new JsonObject { ["role"] = role == "developer" ? "system" : role };
        var calls = role == "assistant" ? Calls(message) : null;
        var content = Content(message);
        if (content is null && calls is null)
            message.Refuse("content", $"{message.PathOf("content")} is missing; expected a text or parts of type text.",
                "missing_required_parameter");
        result["content"] = content;
        if (calls is not null)
            result["tool_calls"] = calls;
        if (message.Text("name", 256) is { } name)
            result["name"] = name;
        if (role == "tool")
        {
            if (!message.Has("tool_call_id"))
                message.Refuse("tool_call_id", $"{message.PathOf("tool_call_id")} is missing; it names the call that this answers.");
            result["tool_call_id"] = message.Text("tool_call_id", 256);
        }

        return result;
    }

    private static string? Content(Fields message)
    {
        if (!message.TryGet("content", out var content))
            return null;
        if (content.ValueKind == JsonValueKind.String)
            return content.GetString();
        if (content.ValueKind != JsonValueKind.Array)
        {
            message.WrongKind("content", content, "a text or a list of parts");
            return null;
        }

        var text = new StringBuilder();
        foreach (var part in message.Objects("content", MostParts))
        {
            var field = part.Text("type") switch
            {
                "text" => "text",
                "refusal" => "refusal",
                var other => Unreadable(part, other),
            };
            if (field is null)
                return null;
            if (!part.Has(field))
                part.Refuse(field, $"{part.PathOf(field)} is missing.");
            text.Append(text.Length > 0 ? "\n" : "").Append(part.Text(field));
        }

        return text.ToString();
    }

    private static string? Unreadable(Fields part, string? type)
    {
        part.Refuse("type", type is null
            ? $"{part.PathOf("type")} is missing; expected text."
            : $"{part.PathOf("type")} is '{Fields.Short(type)}'; models served here read text only.", "unsupported_content");
        return null;
    }

    private static JsonArray? Calls(Fields message)
    {
        if (!message.Has("tool_calls"))
            return null;
        var calls = new JsonArray();
        foreach (var call in message.Objects("tool_calls", MostCalls))
        {
            call.OneOf("type", "function");
            if (call.Object("function") is not { } function)
            {
                call.Refuse("function", $"{call.PathOf("function")} is missing.");
                break;
            }

            if (!function.Has("name"))
                function.Refuse("name", $"{function.PathOf("name")} is missing.");
            calls.Add(new JsonObject
            {
                ["id"] = call.Text("id", 256),
                ["type"] = "function",
                ["function"] = new JsonObject { ["name"] = function.Text("name", 64), ["arguments"] = Arguments(function) },
            });
        }

        return calls.Count > 0 ? calls : null;
    }

    private static JsonNode? Arguments(Fields function)
    {
        var text = function.Text("arguments");
        if (string.IsNullOrWhiteSpace(text))
            return new JsonObject();
        var (document, error) = RequestBody.Parse(Encoding.UTF8.GetBytes(text));
        if (document is null)
        {
            function.Refuse("arguments", $"{function.PathOf("arguments")} is a text that holds no JSON object. {error!.Message}");
            return null;
        }

        using (document)
            return JsonNode.Parse(document.RootElement.GetRawText());
    }
}
