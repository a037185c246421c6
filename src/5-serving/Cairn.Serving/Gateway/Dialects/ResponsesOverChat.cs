using System.Text.Json.Nodes;
using Cairn.Serving.Gateway.Calls;

namespace Cairn.Serving.Gateway.Dialects;

/// <summary>OpenAI's responses for everybody who speaks chat completions.</summary>
internal sealed class ResponsesOverChat : Translation
{
    public static readonly ResponsesOverChat Instance = new();

    public override CallKind Target => CallKind.Chat;

    public override AnswerTranslation Answering(Call call, JsonObject request) => new ResponseAnswer(call, request);

    public override JsonObject Request(JsonObject request)
    {
        foreach (var unknown in (ReadOnlySpan<string>)["conversation", "prompt"])
        {
            if (request[unknown] is not null)
                throw Fields.Unspoken(unknown, "it is kept at OpenAI. Send 'input' or 'previous_response_id'.");
        }
        var messages = new JsonArray();
        if (request["instructions"] is { } instructions)
            messages.Add(new JsonObject { ["role"] = "system", ["content"] = Fields.Text(instructions, "instructions") });
        AddInput(request["input"], messages);
        var chat = new JsonObject { ["messages"] = messages };
        Fields.Copy(request, chat, "model", "stream", "temperature", "top_p", "user", "prompt_cache_key");
        if (request["max_output_tokens"] is { } most)
            chat["max_tokens"] = most.DeepClone();
        if (Fields.IsTrue(request["stream"]))
            chat["stream_options"] = new JsonObject { ["include_usage"] = true };
        if ((request["reasoning"] as JsonObject)?["effort"] is { } effort)
            chat["reasoning_effort"] = effort.DeepClone();
        if (request["text"] is JsonObject text)
            AddFormat(text, chat);
        if (request["tools"] is JsonArray { Count: > 0 } tools)
            AddTools(request, tools, chat);
        return chat;
    }

    private static void AddInput(JsonNode? input, JsonArray messages)
    {
        if (Fields.TextOrNull(input) is { } alone)
        {
            messages.Add(new JsonObject { ["role"] = "user", ["content"] = alone });
            return;
        }
        foreach (var (item, at) in Fields.Array(input, "input").Select((item, i) => (item, $"input[{i}]")))
            AddItem(Fields.Object(item, at), at, messages);
    }

    private static void AddItem(JsonObject item, string at, JsonArray messages)
    {
        switch (Fields.TextOrNull(item["type"]) ?? "message")
        {
            case "message":
                var role = Fields.Text(item["role"], at + ".role");
                if (role is not ("user" or "assistant" or "system" or "developer"))
                    throw Fields.Wrong(at + ".role", "'user', 'assistant', 'system' or 'developer'", item["role"]);
                messages.Add(new JsonObject { ["role"] = role == "developer" ? "system" : role, ["content"] = ContentOf(item["content"], at + ".content") });
                break;
            case "function_call":
                var call = ChatWords.ToolCall(Fields.Text(item["call_id"], at + ".call_id"), Fields.Text(item["name"], at + ".name"), Fields.Text(item["arguments"], at + ".arguments"));
                // Chat says all calls of a turn in one message.
                if (messages.Count == 0 || (string?)messages[^1]!["role"] != "assistant")
                    messages.Add(new JsonObject { ["role"] = "assistant", ["content"] = null });
                if (messages[^1]!["tool_calls"] is JsonArray calls)
                    calls.Add(call);
                else
                    messages[^1]!["tool_calls"] = new JsonArray(call);
                break;
            case "function_call_output":
                messages.Add(new JsonObject
                {
                    ["role"] = "tool", ["tool_call_id"] = Fields.Text(item["call_id"], at + ".call_id"), ["content"] = ContentOf(item["output"], at + ".output"),
                });
                break;
            case "reasoning":
                break; // Chat has no words for earlier thoughts.
            case var other:
                throw Fields.Unspoken(at + ".type", $"'{other}' is not 'message', 'function_call', 'function_call_output' or 'reasoning'.");
        }
    }

    /// <summary>Plain text where there is nothing but text, which is what every engine takes.</summary>
    private static JsonNode ContentOf(JsonNode? content, string at)
    {
        if (content is not JsonArray parts)
            return Fields.Text(content, at);
        var (all, plain) = (new JsonArray(), true);
        for (var i = 0; i < parts.Count; i++)
        {
            var (part, here) = (Fields.Object(parts[i], $"{at}[{i}]"), $"{at}[{i}]");
            switch (Fields.Text(part["type"], here + ".type"))
            {
                case "input_text" or "output_text" or "text":
                    all.Add(new JsonObject { ["type"] = "text", ["text"] = Fields.Text(part["text"], here + ".text") });
                    break;
                case "refusal":
                    all.Add(new JsonObject { ["type"] = "text", ["text"] = Fields.Text(part["refusal"], here + ".refusal") });
                    break;
                case "input_image":
                    var image = new JsonObject { ["url"] = Fields.Text(part["image_url"], here + ".image_url") };
                    Fields.Copy(part, image, "detail");
                    all.Add(new JsonObject { ["type"] = "image_url", ["image_url"] = image });
                    plain = false;
                    break;
                case var other:
                    throw Fields.Unspoken(here + ".type", $"'{other}' is not 'input_text', 'output_text', 'refusal' or 'input_image'.");
            }
        }
        return plain ? string.Join('\n', all.Select(p => (string)p!["text"]!)) : all;
    }

    private static void AddFormat(JsonObject text, JsonObject chat)
    {
        Fields.Copy(text, chat, "verbosity");
        if (text["format"] is not JsonObject format)
            return;
        var type = Fields.Text(format["type"], "text.format.type");
        if (type == "text")
            return;
        var asked = new JsonObject { ["type"] = type };
        if (type == "json_schema")
        {
            var schema = new JsonObject { ["schema"] = Fields.Object(format["schema"], "text.format.schema").DeepClone(), ["name"] = Fields.Text(format["name"], "text.format.name") };
            Fields.Copy(format, schema, "strict", "description");
            asked["json_schema"] = schema;
        }
        else if (type != "json_object")
        {
            throw Fields.Wrong("text.format.type", "'text', 'json_object' or 'json_schema'", format["type"]);
        }
        chat["response_format"] = asked;
    }

    private static void AddTools(JsonObject request, JsonArray tools, JsonObject chat)
    {
        var translated = new JsonArray();
        for (var i = 0; i < tools.Count; i++)
        {
            var tool = Fields.Object(tools[i], $"tools[{i}]");
            if (Fields.Text(tool["type"], $"tools[{i}].type") is not "function" and var type)
                throw Fields.Unspoken($"tools[{i}].type", $"'{type}' runs at OpenAI; tools here are functions that their client runs.");
            var function = new JsonObject { ["name"] = Fields.Text(tool["name"], $"tools[{i}].name") };
            Fields.Copy(tool, function, "description", "parameters", "strict");
            translated.Add(new JsonObject { ["type"] = "function", ["function"] = function });
        }
        chat["tools"] = translated;
        Fields.Copy(request, chat, "parallel_tool_calls");
        if (request["tool_choice"] is JsonObject named)
            chat["tool_choice"] = new JsonObject { ["type"] = "function", ["function"] = new JsonObject { ["name"] = Fields.Text(named["name"], "tool_choice.name") } };
        else
            Fields.Copy(request, chat, "tool_choice");
    }
}
