using System.Text.Json.Nodes;
using Cairn.Serving.Gateway.Calls;

namespace Cairn.Serving.Gateway.Dialects;

/// <summary>Anthropic's messages for targets that speak OpenAI's chat completions.</summary>
internal sealed class MessagesOverChat : Translation
{
    public static readonly MessagesOverChat Instance = new();

    public override CallKind Target => CallKind.Chat;

    public override AnswerTranslation Answering(Call call, JsonObject request) => new MessageAnswer(call);

    public override JsonObject Request(JsonObject request)
    {
        var messages = new JsonArray();
        if (SystemOf(request["system"]) is { Length: > 0 } system)
            messages.Add(Turn("system", system));
        foreach (var (turn, at) in Fields.Array(request["messages"], "messages").Select((m, i) => (m, $"messages.{i}")))
            AddTurn(Fields.Object(turn, at), at, messages);
        var chat = new JsonObject { ["messages"] = messages };
        Fields.Copy(request, chat, "model", "stream", "max_tokens", "temperature", "top_p", "top_k");
        if (request["stop_sequences"] is { } stops)
            chat["stop"] = Fields.Array(stops, "stop_sequences").DeepClone();
        if (request["metadata"] is JsonObject metadata && metadata["user_id"] is { } user)
            chat["user"] = user.DeepClone();
        if (request["tools"] is JsonArray { Count: > 0 } tools)
            chat["tools"] = new JsonArray([.. tools.Select((t, i) => Tool(Fields.Object(t, $"tools.{i}"), $"tools.{i}"))]);
        if (request["tool_choice"] is { } choice)
            Choose(Fields.Object(choice, "tool_choice"), chat);
        return chat;
    }

    private static JsonObject Turn(string role, JsonNode? content) => new() { ["role"] = role, ["content"] = content };

    private static string SystemOf(JsonNode? system) => system switch
    {
        null => "",
        JsonArray blocks => string.Join('\n', blocks.Select((b, i) => Fields.Text((b as JsonObject)?["text"], $"system.{i}.text"))),
        _ => Fields.Text(system, "system"),
    };

    private static void AddTurn(JsonObject turn, string at, JsonArray messages)
    {
        var role = Fields.Text(turn["role"], at + ".role");
        if (role is not ("user" or "assistant"))
            throw Fields.Wrong(at + ".role", "'user' or 'assistant'", turn["role"]);
        if (Fields.TextOrNull(turn["content"]) is { } text)
        {
            messages.Add(Turn(role, text));
            return;
        }
        var blocks = Fields.Array(turn["content"], at + ".content").Select((b, i) => Fields.Object(b, $"{at}.content.{i}")).ToList();
        if (role == "user")
            AddUser(blocks, at + ".content", messages);
        else
            messages.Add(Assistant(blocks, at + ".content"));
    }

    /// <summary>Chat has a message of its own for every tool's result; they come before what the user says besides.</summary>
    private static void AddUser(List<JsonObject> blocks, string at, JsonArray messages)
    {
        var (parts, plain) = (new JsonArray(), true);
        for (var i = 0; i < blocks.Count; i++)
        {
            var (block, here) = (blocks[i], $"{at}.{i}");
            switch (Fields.Text(block["type"], here + ".type"))
            {
                case "tool_result":
                    messages.Add(new JsonObject
                    {
                        ["role"] = "tool", ["tool_call_id"] = Fields.Text(block["tool_use_id"], here + ".tool_use_id"), ["content"] = ResultOf(block["content"], here + ".content"),
                    });
                    break;
                case "text":
                    parts.Add(new JsonObject { ["type"] = "text", ["text"] = Fields.Text(block["text"], here + ".text") });
                    break;
                case "image":
                    parts.Add(Image(Fields.Object(block["source"], here + ".source"), here + ".source"));
                    plain = false;
                    break;
                case var other:
                    throw Fields.Unspoken(here, $"the model behind this name takes no '{other}' blocks.");
            }
        }
        if (parts.Count > 0)
            messages.Add(Turn("user", plain ? string.Join('\n', parts.Select(p => (string)p!["text"]!)) : parts));
    }

    private static string ResultOf(JsonNode? content, string at) => content switch
    {
        null => "",
        JsonArray blocks => string.Join('\n', blocks.Select((b, i) => Fields.Text((b as JsonObject)?["text"], $"{at}.{i}.text"))),
        _ => Fields.Text(content, at),
    };

    private static JsonObject Image(JsonObject source, string at)
    {
        var url = Fields.Text(source["type"], at + ".type") switch
        {
            "base64" => $"data:{Fields.Text(source["media_type"], at + ".media_type")};base64,{Fields.Text(source["data"], at + ".data")}",
            "url" => Fields.Text(source["url"], at + ".url"),
            var other => throw Fields.Unspoken(at + ".type", $"'{other}' is not 'base64' or 'url'."),
        };
        return new JsonObject { ["type"] = "image_url", ["image_url"] = new JsonObject { ["url"] = url } };
    }

    private static JsonObject Assistant(List<JsonObject> blocks, string at)
    {
        var (text, calls) = ("", new JsonArray());
        for (var i = 0; i < blocks.Count; i++)
        {
            var (block, here) = (blocks[i], $"{at}.{i}");
            switch (Fields.Text(block["type"], here + ".type"))
            {
                case "text":
                    text += Fields.Text(block["text"], here + ".text");
                    break;
                case "tool_use":
                    calls.Add(ChatWords.ToolCall(Fields.Text(block["id"], here + ".id"), Fields.Text(block["name"], here + ".name"), Fields.Json(block["input"])));
                    break;
                case "thinking" or "redacted_thinking":
                    break; // A model reads its own earlier thoughts only where it signed them.
                case var other:
                    throw Fields.Unspoken(here, $"the model behind this name takes no '{other}' blocks.");
            }
        }
        var message = Turn("assistant", calls.Count > 0 && text.Length == 0 ? null : text);
        if (calls.Count > 0)
            message["tool_calls"] = calls;
        return message;
    }

    private static JsonObject Tool(JsonObject tool, string at)
    {
        if (Fields.TextOrNull(tool["type"]) is { } type and not "custom")
            throw Fields.Unspoken(at + ".type", $"'{type}' runs at Anthropic; tools here are run by their client.");
        var function = new JsonObject { ["name"] = Fields.Text(tool["name"], at + ".name"), ["parameters"] = Fields.Object(tool["input_schema"], at + ".input_schema").DeepClone() };
        Fields.Copy(tool, function, "description", "strict");
        return new JsonObject { ["type"] = "function", ["function"] = function };
    }

    private static void Choose(JsonObject choice, JsonObject chat)
    {
        chat["tool_choice"] = Fields.Text(choice["type"], "tool_choice.type") switch
        {
            "auto" => "auto",
            "any" => "required",
            "none" => "none",
            "tool" => new JsonObject { ["type"] = "function", ["function"] = new JsonObject { ["name"] = Fields.Text(choice["name"], "tool_choice.name") } },
            _ => throw Fields.Wrong("tool_choice.type", "'auto', 'any', 'tool' or 'none'", choice["type"]),
        };
        if (Fields.IsTrue(choice["disable_parallel_tool_use"]))
            chat["parallel_tool_calls"] = false;
    }
}
