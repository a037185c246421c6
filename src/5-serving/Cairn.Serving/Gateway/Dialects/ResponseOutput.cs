using System.Text;
using System.Text.Json.Nodes;

namespace Cairn.Serving.Gateway.Dialects;

/// <summary>The items of a response while they come, one after the other, and the events that tell of them.</summary>
internal sealed class ResponseOutput(string number)
{
    private readonly List<JsonObject> _items = [];
    private readonly StringBuilder _text = new();
    private bool _open;
    private bool _refuses;
    private long? _call; // null while a message is open

    public static StreamEvent Event(string type, JsonObject more)
    {
        more.Insert(0, "type", type);
        return new StreamEvent(type, more);
    }

    /// <summary>All items so far, as a copy.</summary>
    public JsonArray Items() => [.. _items.Select(i => i.DeepClone())];

    public void Text(string text, bool refuses, List<StreamEvent> to)
    {
        if (!_open || _call is not null || _refuses != refuses)
        {
            Open(null, new() { ["id"] = $"msg_{number}_{_items.Count}", ["type"] = "message", ["status"] = "in_progress", ["role"] = "assistant", ["content"] = new JsonArray() }, to);
            _refuses = refuses;
            to.Add(InPart("response.content_part.added", new() { ["part"] = Part("") }));
        }
        _text.Append(text);
        var delta = InPart(_refuses ? "response.refusal.delta" : "response.output_text.delta", new() { ["delta"] = text });
        if (!_refuses)
            delta.Data!["logprobs"] = new JsonArray();
        to.Add(delta);
    }

    public void Call(long index, string id, string name, List<StreamEvent> to) => Open(index, new()
    {
        ["id"] = $"fc_{number}_{_items.Count}", ["type"] = "function_call", ["status"] = "in_progress", ["call_id"] = id, ["name"] = name, ["arguments"] = "",
    }, to);

    /// <exception cref="FieldFault">The call has ended.</exception>
    public void Arguments(long index, string json, List<StreamEvent> to)
    {
        if (!_open || _call != index)
            throw new FieldFault($"a fragment of tool call {index} came after the call had ended");
        _text.Append(json);
        to.Add(OfItem("response.function_call_arguments.delta", new() { ["delta"] = json }));
    }

    /// <summary>Ends the open item.</summary>
    /// <param name="status"><c>completed</c> or <c>incomplete</c>.</param>
    public void Close(string status, List<StreamEvent> to)
    {
        if (!_open)
            return;
        var (item, text) = (_items[^1], _text.ToString());
        if (_call is not null)
        {
            item["arguments"] = text;
            to.Add(OfItem("response.function_call_arguments.done", new() { ["name"] = item["name"]!.DeepClone(), ["arguments"] = text }));
        }
        else
        {
            var done = InPart(_refuses ? "response.refusal.done" : "response.output_text.done", new() { [_refuses ? "refusal" : "text"] = text });
            if (!_refuses)
                done.Data!["logprobs"] = new JsonArray();
            to.Add(done);
            to.Add(InPart("response.content_part.done", new() { ["part"] = Part(text) }));
            item["content"] = new JsonArray(Part(text));
        }
        item["status"] = status;
        to.Add(Event("response.output_item.done", new() { ["output_index"] = _items.Count - 1, ["item"] = item.DeepClone() }));
        _open = false;
        _text.Clear();
    }

    private void Open(long? call, JsonObject item, List<StreamEvent> to)
    {
        Close("completed", to);
        // The item's id was made for the place behind all others, which is the same after closing.
        _items.Add(item);
        (_open, _call) = (true, call);
        to.Add(Event("response.output_item.added", new() { ["output_index"] = _items.Count - 1, ["item"] = item.DeepClone() }));
    }

    private JsonObject Part(string text) => _refuses
        ? new() { ["type"] = "refusal", ["refusal"] = text }
        : new() { ["type"] = "output_text", ["text"] = text, ["annotations"] = new JsonArray(), ["logprobs"] = new JsonArray() };

    private StreamEvent OfItem(string type, JsonObject more)
    {
        more.Insert(0, "item_id", _items[^1]["id"]!.DeepClone());
        more.Insert(1, "output_index", _items.Count - 1);
        return Event(type, more);
    }

    private StreamEvent InPart(string type, JsonObject more)
    {
        more.Insert(0, "content_index", 0);
        return OfItem(type, more);
    }
}
