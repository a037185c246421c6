using System.Text.Json.Nodes;
using Cairn.Serving.Gateway.Calls;
using Cairn.Serving.Gateway.Snapshots;

namespace Cairn.Serving.Gateway.Dialects;

/// <summary>Lets clients that speak one kind of request talk to targets that speak another.</summary>
internal abstract class Translation
{
    /// <summary>The kind of request that comes out.</summary>
    public abstract CallKind Target { get; }

    /// <summary>The client's request in the target's words.</summary>
    /// <exception cref="FieldFault">It is malformed, or asks for something that the target's dialect has no words for.</exception>
    public abstract JsonObject Request(JsonObject request);

    /// <summary>The way back, for one answer.</summary>
    /// <param name="request">The client's, which some answers repeat.</param>
    public abstract AnswerTranslation Answering(Call call, JsonObject request);

    /// <summary>
    /// The translations between a client's kind of request and a target, the client's side first; empty where they speak the same, null
    /// where no way leads.
    /// </summary>
    public static IReadOnlyList<Translation>? Between(CallKind kind, ApiDialect target)
    {
        if (kind == CallKind.Message)
            return target == ApiDialect.Anthropic ? [] : [MessagesOverChat.Instance];
        if (kind == CallKind.Counting)
            return target == ApiDialect.Anthropic ? [] : [CountingOverTokenizing.Instance];
        if (kind == CallKind.Response)
            return target == ApiDialect.Anthropic ? [ResponsesOverChat.Instance, ChatOverMessages.Instance] : [ResponsesOverChat.Instance];
        if (kind == CallKind.Chat)
            return target == ApiDialect.Anthropic ? [ChatOverMessages.Instance] : [];
        return target == ApiDialect.Anthropic ? null : [];
    }
}

/// <summary>One answer on its way from the target's dialect to the client's. Knows how far a stream has come.</summary>
internal abstract class AnswerTranslation
{
    /// <summary>A whole answer.</summary>
    /// <exception cref="FieldFault">The target's answer makes no sense.</exception>
    public abstract JsonObject Whole(JsonObject answer);

    /// <summary>What one event of the target's stream is to the client: none, one or several events.</summary>
    /// <exception cref="FieldFault">The target's event tells of an error or makes no sense: the stream broke.</exception>
    public abstract void Next(StreamEvent one, List<StreamEvent> to);

    /// <summary>What clients can come back to, once the answer is whole; null before, and where the dialect has no such thing.</summary>
    public virtual JsonObject? Final => null;

    /// <summary>The last words of a stream that broke.</summary>
    public virtual byte[] Fail(CallError error, ApiDialect client) => ErrorAnswers.Event(error, client);
}

/// <summary>Several ways back, one behind the other.</summary>
/// <param name="steps">The target's side first.</param>
internal sealed class AnswerChain(IReadOnlyList<AnswerTranslation> steps) : AnswerTranslation
{
    public override JsonObject Whole(JsonObject answer) => steps.Aggregate(answer, (json, step) => step.Whole(json));

    public override void Next(StreamEvent one, List<StreamEvent> to)
    {
        List<StreamEvent> events = [one];
        foreach (var step in steps)
        {
            var translated = new List<StreamEvent>();
            foreach (var each in events)
                step.Next(each, translated);
            events = translated;
        }
        to.AddRange(events);
    }

    public override JsonObject? Final => steps[^1].Final;

    public override byte[] Fail(CallError error, ApiDialect client) => steps[^1].Fail(error, client);
}
