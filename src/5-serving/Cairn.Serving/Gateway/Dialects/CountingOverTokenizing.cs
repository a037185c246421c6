using System.Text.Json.Nodes;
using Cairn.Serving.Gateway.Calls;

namespace Cairn.Serving.Gateway.Dialects;

/// <summary>
/// Anthropic's count of tokens, from replicas that turn a conversation into tokens as vLLM does: by the model's own template, tools
/// included.
/// </summary>
internal sealed class CountingOverTokenizing : Translation
{
    public static readonly CountingOverTokenizing Instance = new();

    public override CallKind Target => CallKind.Tokenizing;

    public override AnswerTranslation Answering(Call call, JsonObject request) => new Count(call);

    public override JsonObject Request(JsonObject request)
    {
        var chat = MessagesOverChat.Instance.Request(request);
        var asked = new JsonObject();
        Fields.Copy(chat, asked, "model", "messages", "tools");
        return asked;
    }

    private sealed class Count(Call call) : AnswerTranslation
    {
        public override JsonObject Whole(JsonObject answer) => answer["count"] is JsonValue value && value.TryGetValue<long>(out var count)
            ? new JsonObject { ["input_tokens"] = count } : throw new FieldFault($"the engine behind '{call.Facts.Model}' does not count the tokens of a conversation");

        public override void Next(StreamEvent one, List<StreamEvent> to) => throw new FieldFault("A count of tokens is no stream.");
    }
}
