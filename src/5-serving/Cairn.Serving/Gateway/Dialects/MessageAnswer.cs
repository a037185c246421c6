using System.Text;
using System.Text.Json.Nodes;
using Cairn.Serving.Gateway.Calls;

namespace Cairn.Serving.Gateway.Dialects;

/// <summary>A chat completion as one of Anthropic's messages, whole or event by event.</summary>
internal sealed class MessageAnswer(Call call) : AnswerTranslation
{
    private readonly Dictionary<long, int> _tools = [];
    private bool _started;
    private int _blocks;
    private bool _open;
    private long? _tool; // the open block's tool call; null for text
    private string _stopReason = "end_turn";
    private string? _stopSequence;
    private JsonNode? _usage;

    public override JsonObject Whole(JsonObject answer)
    {
        var choice = ChatWords.Choice(answer) ?? throw new FieldFault("the answer has no choice");
        var message = Fields.Object(choice["message"], "choices[0].message");
        var content = new JsonArray();
        if (Fields.TextOrNull(message["content"]) is { Length: > 0 } text)
            content.Add(new JsonObject { ["type"] = "text", ["text"] = text });
        foreach (var each in message["tool_calls"] as JsonArray ?? [])
            content.Add(ToolUse(Fields.Object(each, "tool_calls")));
        Stopped(choice);
        var whole = Empty();
        (whole["content"], whole["stop_reason"], whole["stop_sequence"], whole["usage"]) = (content, _stopReason, _stopSequence, UsageOf(answer["usage"]));
        return whole;
    }

    public override void Next(StreamEvent one, List<StreamEvent> to)
    {
        if (one == StreamEvent.Done)
            End(to);
        else if (one.Data is not { } chunk)
            Add(to, "ping", []);
        else
            Chunk(chunk, to);
    }

    private void Chunk(JsonObject chunk, List<StreamEvent> to)
    {
        ChatWords.ThrowOnError(chunk);
        Start(to);
        _usage = chunk["usage"] ?? _usage;
        if (ChatWords.Choice(chunk) is not { } choice)
            return;
        var delta = choice["delta"] as JsonObject;
        if (Fields.TextOrNull(delta?["content"]) is { Length: > 0 } text)
            Text(text, to);
        foreach (var fragment in delta?["tool_calls"] as JsonArray ?? [])
            Call(Fields.Object(fragment, "tool_calls"), to);
        if (choice["finish_reason"] is not null)
            Stopped(choice);
    }

    private void Start(List<StreamEvent> to)
    {
        if (_started)
            return;
        _started = true;
        Add(to, "message_start", new() { ["message"] = Empty() });
    }

    private void Text(string text, List<StreamEvent> to)
    {
        if (!_open || _tool is not null)
            Open(null, new JsonObject { ["type"] = "text", ["text"] = "" }, to);
        Delta(new JsonObject { ["type"] = "text_delta", ["text"] = text }, to);
    }

    private void Call(JsonObject fragment, List<StreamEvent> to)
    {
        var (index, function) = (Fields.Count(fragment["index"]), fragment["function"] as JsonObject);
        if (_tools.TryAdd(index, _blocks))
        {
            Open(index, new JsonObject
            {
                ["type"] = "tool_use", ["id"] = Fields.Text(fragment["id"], "tool_calls.id"), ["name"] = Fields.Text(function?["name"], "tool_calls.function.name"),
                ["input"] = new JsonObject(),
            }, to);
        }
        else if (!_open || _tool != index)
        {
            throw new FieldFault($"a fragment of tool call {index} came after the call had ended");
        }
        if (Fields.TextOrNull(function?["arguments"]) is { Length: > 0 } arguments)
            Delta(new JsonObject { ["type"] = "input_json_delta", ["partial_json"] = arguments }, to);
    }

    private void Open(long? tool, JsonObject block, List<StreamEvent> to)
    {
        Close(to);
        (_open, _tool) = (true, tool);
        Add(to, "content_block_start", new() { ["index"] = _blocks, ["content_block"] = block });
    }

    private void Delta(JsonObject delta, List<StreamEvent> to) => Add(to, "content_block_delta", new() { ["index"] = _blocks, ["delta"] = delta });

    private void Close(List<StreamEvent> to)
    {
        if (!_open)
            return;
        Add(to, "content_block_stop", new() { ["index"] = _blocks });
        (_open, _blocks) = (false, _blocks + 1);
    }

    private void End(List<StreamEvent> to)
    {
        Start(to);
        Close(to);
        Add(to, "message_delta", new() { ["delta"] = new JsonObject { ["stop_reason"] = _stopReason, ["stop_sequence"] = _stopSequence }, ["usage"] = UsageOf(_usage) });
        Add(to, "message_stop", []);
    }

    private static void Add(List<StreamEvent> to, string type, JsonObject more)
    {
        more.Insert(0, "type", type);
        to.Add(new StreamEvent(type, more));
    }

    private JsonObject Empty() => new()
    {
        ["id"] = "msg_" + call.Record.Number, ["type"] = "message", ["role"] = "assistant", ["model"] = call.Facts.Model, ["content"] = new JsonArray(),
        ["stop_reason"] = null, ["stop_sequence"] = null, ["usage"] = UsageOf(null),
    };

    private static JsonObject ToolUse(JsonObject asked)
    {
        var function = Fields.Object(asked["function"], "tool_calls.function");
        var arguments = Fields.TextOrNull(function["arguments"]) is { Length: > 0 } given ? given : "{}";
        return new JsonObject
        {
            ["type"] = "tool_use", ["id"] = Fields.Text(asked["id"], "tool_calls.id"), ["name"] = Fields.Text(function["name"], "tool_calls.function.name"),
            ["input"] = Fields.Parse(Encoding.UTF8.GetBytes(arguments)),
        };
    }

    /// <summary>vLLM and SGLang name the stop string that was met as <c>stop_reason</c> beside OpenAI's <c>finish_reason</c>.</summary>
    private void Stopped(JsonObject choice)
    {
        _stopSequence = Fields.TextOrNull(choice["stop_reason"]);
        _stopReason = Fields.TextOrNull(choice["finish_reason"]) switch
        {
            "length" => "max_tokens",
            "tool_calls" or "function_call" => "tool_use",
            "content_filter" => "refusal",
            _ => _stopSequence is null ? "end_turn" : "stop_sequence",
        };
    }

    /// <summary>Anthropic counts what was read from a cache beside the input.</summary>
    private static JsonObject UsageOf(JsonNode? usage)
    {
        var (input, cached, output) = ChatWords.Usage(usage);
        return new JsonObject { ["input_tokens"] = input - cached, ["cache_creation_input_tokens"] = 0, ["cache_read_input_tokens"] = cached, ["output_tokens"] = output };
    }
}
