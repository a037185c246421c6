using System.Buffers;
using System.Text.Json.Nodes;
using Cairn.Serving.Gateway.Calls;
using Cairn.Serving.Gateway.Snapshots;

namespace Cairn.Serving.Gateway.Dialects;

/// <summary>A chat completion as one of OpenAI's responses, whole or event by event; events are numbered from 0 without a gap.</summary>
internal sealed class ResponseAnswer : AnswerTranslation
{
    private readonly ResponseWords _words;
    private readonly ResponseOutput _output;
    private readonly Dictionary<long, bool> _calls = [];
    private bool _started;
    private int _sequence;
    private string? _finish;
    private JsonNode? _usage;
    private JsonObject? _final;

    public ResponseAnswer(Call call, JsonObject request)
    {
        _words = new ResponseWords(call, request);
        _output = new ResponseOutput(call.Record.Number);
    }

    public override JsonObject? Final => _final;

    public override JsonObject Whole(JsonObject answer)
    {
        var choice = ChatWords.Choice(answer) ?? throw new FieldFault("the answer has no choice");
        var unheard = new List<StreamEvent>();
        Said(Fields.Object(choice["message"], "choices[0].message"), unheard);
        (_finish, _usage) = (Fields.TextOrNull(choice["finish_reason"]), answer["usage"]);
        return Finish(unheard);
    }

    public override void Next(StreamEvent one, List<StreamEvent> to)
    {
        if (_final is not null)
            return; // Nothing comes after the end.
        var from = to.Count;
        if (one == StreamEvent.Done)
            End(to);
        else if (one.Data is not { } chunk)
            to.Add(StreamEvent.Ping);
        else
            Chunk(chunk, to);
        Number(to, from);
    }

    public override byte[] Fail(CallError error, ApiDialect client)
    {
        var events = new List<StreamEvent>();
        Start(events);
        var failed = _words.Response("failed", _output.Items(), null);
        failed["error"] = new JsonObject { ["code"] = "server_error", ["message"] = error.Message };
        events.Add(ResponseOutput.Event("response.failed", new() { ["response"] = failed }));
        Number(events, 0);
        var bytes = new ArrayBufferWriter<byte>();
        foreach (var each in events)
            each.Write(bytes);
        return bytes.WrittenSpan.ToArray();
    }

    private void Chunk(JsonObject chunk, List<StreamEvent> to)
    {
        ChatWords.ThrowOnError(chunk);
        Start(to);
        _usage = chunk["usage"] ?? _usage;
        if (ChatWords.Choice(chunk) is not { } choice)
            return;
        if (choice["delta"] is JsonObject delta)
            Said(delta, to);
        _finish = Fields.TextOrNull(choice["finish_reason"]) ?? _finish;
    }

    private void Start(List<StreamEvent> to)
    {
        if (_started)
            return;
        _started = true;
        to.Add(ResponseOutput.Event("response.created", new() { ["response"] = _words.Response("in_progress", [], null) }));
        to.Add(ResponseOutput.Event("response.in_progress", new() { ["response"] = _words.Response("in_progress", [], null) }));
    }

    /// <summary>A message or a piece of one.</summary>
    private void Said(JsonObject message, List<StreamEvent> to)
    {
        if (Fields.TextOrNull(message["content"]) is { Length: > 0 } text)
            _output.Text(text, refuses: false, to);
        if (Fields.TextOrNull(message["refusal"]) is { Length: > 0 } refusal)
            _output.Text(refusal, refuses: true, to);
        var fragments = message["tool_calls"] as JsonArray ?? [];
        for (var i = 0; i < fragments.Count; i++)
        {
            var fragment = Fields.Object(fragments[i], "tool_calls");
            var (index, function) = (fragment["index"] is null ? i : Fields.Count(fragment["index"]), fragment["function"] as JsonObject);
            if (_calls.TryAdd(index, true))
                _output.Call(index, Fields.Text(fragment["id"], "tool_calls.id"), Fields.Text(function?["name"], "tool_calls.function.name"), to);
            if (Fields.TextOrNull(function?["arguments"]) is { Length: > 0 } arguments)
                _output.Arguments(index, arguments, to);
        }
    }

    private void End(List<StreamEvent> to)
    {
        Start(to);
        var whole = Finish(to);
        to.Add(ResponseOutput.Event("response." + (string)whole["status"]!, new() { ["response"] = whole.DeepClone() }));
    }

    private JsonObject Finish(List<StreamEvent> to)
    {
        var reason = _finish switch { "length" => "max_output_tokens", "content_filter" => "content_filter", _ => null };
        _output.Close(reason is null ? "completed" : "incomplete", to);
        var whole = _words.Response(reason is null ? "completed" : "incomplete", _output.Items(), _usage);
        if (reason is not null)
            whole["incomplete_details"] = new JsonObject { ["reason"] = reason };
        return _final = whole;
    }

    private void Number(List<StreamEvent> events, int from)
    {
        foreach (var each in events.Skip(from).Where(e => e.Data is not null))
            each.Data!.Insert(1, "sequence_number", _sequence++);
    }
}
