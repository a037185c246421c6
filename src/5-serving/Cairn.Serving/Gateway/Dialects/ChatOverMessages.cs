using System.Text;
using System.Text.Json.Nodes;
using Cairn.Serving.Gateway.Calls;

namespace Cairn.Serving.Gateway.Dialects;

/// <summary>OpenAI's chat completions for providers that speak Anthropic's messages.</summary>
internal sealed class ChatOverMessages : Translation
{
    public static readonly ChatOverMessages Instance = new();

    public override CallKind Target => CallKind.Message;

    public override AnswerTranslation Answering(Call call, JsonObject request) =>
        new ChatAnswer(call, Fields.IsTrue((request["stream_options"] as JsonObject)?["include_usage"]));

    public override JsonObject Request(JsonObject request)
    {
        Refuse(request);
        var (system, turns) = (new StringBuilder(), new JsonArray());
        foreach (var (turn, at) in Fields.Array(request["messages"], "messages").Select((m, i) => (m, $"messages.{i}")))
            AddTurn(Fields.Object(turn, at), at, system, turns);
        var message = new JsonObject { ["messages"] = turns };
        if (system.Length > 0)
            message["system"] = system.ToString();
        Fields.Copy(request, message, "model", "stream", "top_p", "top_k");
        if ((request["max_completion_tokens"] ?? request["max_tokens"]) is { } most)
            message["max_tokens"] = most.DeepClone();
        if (request["temperature"] is JsonValue warm && warm.TryGetValue<double>(out var temperature))
            message["temperature"] = Math.Clamp(temperature, 0, 1); // OpenAI's goes to 2, Anthropic's to 1
        if (request["stop"] is { } stop)
            message["stop_sequences"] = stop is JsonArray ? stop.DeepClone() : new JsonArray(stop.DeepClone());
        if (Fields.TextOrNull(request["user"] ?? request["safety_identifier"]) is { } user)
            message["metadata"] = new JsonObject { ["user_id"] = user };
        if (request["tools"] is JsonArray { Count: > 0 } tools)
            AddTools(request, tools, message);
        return message;
    }

    private static void Refuse(JsonObject request)
    {
        const string Why = "the provider behind this name has no such thing.";
        if (request["n"] is JsonValue n && n.TryGetValue<int>(out var choices) && choices > 1)
            throw Fields.Unspoken("n", Why);
        if (Fields.IsTrue(request["logprobs"]))
            throw Fields.Unspoken("logprobs", Why);
        if (request["response_format"] is JsonObject format && Fields.TextOrNull(format["type"]) is not (null or "text"))
            throw Fields.Unspoken("response_format", Why + " Ask for a tool with the schema instead.");
    }

    private static void AddTurn(JsonObject turn, string at, StringBuilder system, JsonArray turns)
    {
        switch (Fields.Text(turn["role"], at + ".role"))
        {
            case "system" or "developer":
                system.Append(system.Length > 0 ? "\n" : "").Append(TextOf(turn["content"], at + ".content"));
                break;
            case "user":
                Add(turns, "user", UserBlocks(turn["content"], at + ".content"));
                break;
            case "assistant":
                Add(turns, "assistant", AssistantBlocks(turn, at));
                break;
            case "tool":
                Add(turns, "user", [new JsonObject
                {
                    ["type"] = "tool_result", ["tool_use_id"] = Fields.Text(turn["tool_call_id"], at + ".tool_call_id"), ["content"] = TextOf(turn["content"], at + ".content"),
                }]);
                break;
            default:
                throw Fields.Wrong(at + ".role", "'system', 'developer', 'user', 'assistant' or 'tool'", turn["role"]);
        }
    }

    /// <summary>All results of one turn's tools must come in the one turn that follows, so turns of the same role become one.</summary>
    private static void Add(JsonArray turns, string role, List<JsonObject> blocks)
    {
        if (blocks.Count == 0)
            return;
        if (turns.Count == 0 || (string?)turns[^1]!["role"] != role)
            turns.Add(new JsonObject { ["role"] = role, ["content"] = new JsonArray() });
        var content = turns[^1]!["content"]!.AsArray();
        foreach (var block in blocks)
            content.Add(block);
    }

    private static string TextOf(JsonNode? content, string at) => content is JsonArray parts
        ? string.Join('\n', parts.Select((p, i) => Fields.Text((p as JsonObject)?["text"], $"{at}.{i}.text"))) : Fields.Text(content, at);

    private static List<JsonObject> UserBlocks(JsonNode? content, string at)
    {
        if (content is not JsonArray parts)
            return TextBlock(Fields.Text(content, at));
        var blocks = new List<JsonObject>();
        for (var i = 0; i < parts.Count; i++)
        {
            var (part, here) = (Fields.Object(parts[i], $"{at}.{i}"), $"{at}.{i}");
            switch (Fields.Text(part["type"], here + ".type"))
            {
                case "text":
                    blocks.AddRange(TextBlock(Fields.Text(part["text"], here + ".text")));
                    break;
                case "image_url":
                    blocks.Add(Image(Fields.Text((part["image_url"] as JsonObject)?["url"], here + ".image_url.url")));
                    break;
                case var other:
                    throw Fields.Unspoken(here, $"the provider behind this name takes no '{other}' parts.");
            }
        }
        return blocks;
    }

    private static JsonObject Image(string url)
    {
        var source = url.StartsWith("data:", StringComparison.OrdinalIgnoreCase) && url.IndexOf(";base64,", StringComparison.OrdinalIgnoreCase) is var at and > 5
            ? new JsonObject { ["type"] = "base64", ["media_type"] = url[5..at], ["data"] = url[(at + 8)..] }
            : new JsonObject { ["type"] = "url", ["url"] = url };
        return new JsonObject { ["type"] = "image", ["source"] = source };
    }

    private static List<JsonObject> AssistantBlocks(JsonObject turn, string at)
    {
        var blocks = turn["content"] is { } content ? TextBlock(TextOf(content, at + ".content")) : [];
        foreach (var each in turn["tool_calls"] as JsonArray ?? [])
        {
            var asked = Fields.Object(each, at + ".tool_calls");
            var function = Fields.Object(asked["function"], at + ".tool_calls.function");
            var arguments = Fields.Text(function["arguments"], at + ".tool_calls.function.arguments");
            blocks.Add(new JsonObject
            {
                ["type"] = "tool_use", ["id"] = Fields.Text(asked["id"], at + ".tool_calls.id"), ["name"] = Fields.Text(function["name"], at + ".tool_calls.function.name"),
                ["input"] = arguments.Length == 0 ? new JsonObject() : Fields.Parse(Encoding.UTF8.GetBytes(arguments)),
            });
        }
        return blocks;
    }

    /// <summary>Anthropic refuses empty text.</summary>
    private static List<JsonObject> TextBlock(string text) => text.Length == 0 ? [] : [new JsonObject { ["type"] = "text", ["text"] = text }];

    private static void AddTools(JsonObject request, JsonArray tools, JsonObject message)
    {
        var translated = new JsonArray();
        for (var i = 0; i < tools.Count; i++)
        {
            var function = Fields.Object((tools[i] as JsonObject)?["function"], $"tools.{i}.function");
            var tool = new JsonObject { ["name"] = Fields.Text(function["name"], $"tools.{i}.function.name") };
            Fields.Copy(function, tool, "description");
            tool["input_schema"] = function["parameters"]?.DeepClone() ?? new JsonObject { ["type"] = "object" };
            translated.Add(tool);
        }
        message["tools"] = translated;
        JsonObject choice = request["tool_choice"] switch
        {
            JsonObject named => new() { ["type"] = "tool", ["name"] = Fields.Text((named["function"] as JsonObject)?["name"], "tool_choice.function.name") },
            var word => new()
            {
                ["type"] = Fields.TextOrNull(word) switch
                {
                    null or "auto" => "auto", "required" => "any", "none" => "none", _ => throw Fields.Wrong("tool_choice", "'auto', 'required', 'none' or a function", word),
                },
            },
        };
        if (request["parallel_tool_calls"] is JsonValue parallel && parallel.TryGetValue<bool>(out var several) && !several && (string?)choice["type"] != "none")
            choice["disable_parallel_tool_use"] = true;
        message["tool_choice"] = choice;
    }
}
