using System.Text.Json.Nodes;
using Cairn.Serving.Gateway.Calls;

namespace Cairn.Serving.Gateway.Dialects;

/// <summary>One of Anthropic's messages as a chat completion, whole or event by event.</summary>
/// <param name="tellsUsage">Whether a stream's client asked for usage.</param>
internal sealed class ChatAnswer(Call call, bool tellsUsage) : AnswerTranslation
{
    private readonly Dictionary<long, int> _tools = []; // a block's index to its tool call's
    private JsonObject _usage = [];
    private string _finish = "stop";

    public override JsonObject Whole(JsonObject answer)
    {
        var (text, calls) = ("", new JsonArray());
        foreach (var each in Fields.Array(answer["content"], "content"))
        {
            var block = Fields.Object(each, "content");
            var type = Fields.TextOrNull(block["type"]);
            if (type == "text")
                text += Fields.Text(block["text"], "content.text");
            else if (type == "tool_use")
                calls.Add(ChatWords.ToolCall(Fields.Text(block["id"], "content.id"), Fields.Text(block["name"], "content.name"), Fields.Json(block["input"])));
        }
        var message = new JsonObject { ["role"] = "assistant", ["content"] = text.Length == 0 && calls.Count > 0 ? null : text, ["refusal"] = null };
        if (calls.Count > 0)
            message["tool_calls"] = calls;
        var whole = Head("chat.completion");
        whole["choices"] = new JsonArray(new JsonObject { ["index"] = 0, ["message"] = message, ["logprobs"] = null, ["finish_reason"] = Finish(answer["stop_reason"]) });
        whole["usage"] = UsageOf(answer["usage"] as JsonObject ?? []);
        return whole;
    }

    public override void Next(StreamEvent one, List<StreamEvent> to)
    {
        if (one.Data is not { } data)
        {
            to.Add(StreamEvent.Ping);
            return;
        }
        switch (Fields.TextOrNull(data["type"]))
        {
            case "message_start":
                Merge((data["message"] as JsonObject)?["usage"]);
                to.Add(Chunk(new() { ["role"] = "assistant", ["content"] = "", ["refusal"] = null }));
                break;
            case "content_block_start" when data["content_block"] is JsonObject block && Fields.TextOrNull(block["type"]) == "tool_use":
                to.Add(Tool(Fields.Count(data["index"]), block));
                break;
            case "content_block_delta" when data["delta"] is JsonObject delta:
                Delta(Fields.Count(data["index"]), delta, to);
                break;
            case "message_delta":
                Merge(data["usage"]);
                _finish = (data["delta"] as JsonObject)?["stop_reason"] is { } reason ? Finish(reason) : _finish;
                break;
            case "message_stop":
                End(to);
                break;
            case "error":
                throw new FieldFault(Fields.TextOrNull((data["error"] as JsonObject)?["message"]) ?? "the provider told of an error");
        }
    }

    private void Delta(long index, JsonObject delta, List<StreamEvent> to)
    {
        var type = Fields.TextOrNull(delta["type"]);
        if (type == "text_delta")
        {
            to.Add(Chunk(new() { ["content"] = Fields.Text(delta["text"], "delta.text") }));
        }
        else if (type == "input_json_delta" && _tools.TryGetValue(index, out var tool) && Fields.TextOrNull(delta["partial_json"]) is { Length: > 0 } json)
        {
            to.Add(Chunk(new() { ["tool_calls"] = new JsonArray(new JsonObject { ["index"] = tool, ["function"] = new JsonObject { ["arguments"] = json } }) }));
        }
    }

    private StreamEvent Tool(long block, JsonObject started)
    {
        var index = _tools[block] = _tools.Count;
        var asked = ChatWords.ToolCall(Fields.Text(started["id"], "content_block.id"), Fields.Text(started["name"], "content_block.name"), "");
        asked.Insert(0, "index", index);
        return Chunk(new() { ["tool_calls"] = new JsonArray(asked) });
    }

    private void End(List<StreamEvent> to)
    {
        to.Add(Chunk([], _finish));
        if (tellsUsage)
        {
            var last = Head("chat.completion.chunk");
            (last["choices"], last["usage"]) = (new JsonArray(), UsageOf(_usage));
            to.Add(new StreamEvent(null, last));
        }
        to.Add(StreamEvent.Done);
    }

    private StreamEvent Chunk(JsonObject delta, string? finish = null)
    {
        var chunk = Head("chat.completion.chunk");
        chunk["choices"] = new JsonArray(new JsonObject { ["index"] = 0, ["delta"] = delta, ["logprobs"] = null, ["finish_reason"] = finish });
        if (tellsUsage)
            chunk["usage"] = null;
        return new StreamEvent(null, chunk);
    }

    private JsonObject Head(string type) => new()
    {
        ["id"] = "chatcmpl-" + call.Record.Number, ["object"] = type, ["created"] = call.Record.At.ToUnixTimeSeconds(), ["model"] = call.Facts.Model,
    };

    /// <summary>The input is told at the start and the output at the end; a later figure is the whole one.</summary>
    private void Merge(JsonNode? usage)
    {
        if (usage is JsonObject told)
            Fields.Copy(told, _usage, "input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens", "output_tokens");
    }

    private static string Finish(JsonNode? reason) => Fields.TextOrNull(reason) switch
    {
        "max_tokens" or "model_context_window_exceeded" => "length",
        "tool_use" => "tool_calls",
        "refusal" => "content_filter",
        _ => "stop",
    };

    /// <summary>OpenAI counts what was read from a cache within the input.</summary>
    private static JsonObject UsageOf(JsonObject usage)
    {
        var cached = Fields.Count(usage["cache_read_input_tokens"]);
        var input = Fields.Count(usage["input_tokens"]) + Fields.Count(usage["cache_creation_input_tokens"]) + cached;
        var output = Fields.Count(usage["output_tokens"]);
        return new JsonObject
        {
            ["prompt_tokens"] = input, ["completion_tokens"] = output, ["total_tokens"] = input + output,
            ["prompt_tokens_details"] = new JsonObject { ["cached_tokens"] = cached },
        };
    }
}
