using System.Text.Json.Nodes;
using Cairn.Serving.Gateway.Bodies;
using Cairn.Serving.Gateway.Calls;
using Cairn.Serving.Gateway.Snapshots;

namespace Cairn.Serving.Gateway.Dialects;

/// <summary>A call's request in one target's dialect: the client's own bytes where both speak the same.</summary>
internal sealed class Spoken
{
    private readonly List<(Translation Translation, JsonObject Request)> _steps = [];

    private Spoken(CallKind kind, ReadOnlyMemory<byte> body, in BodyFacts facts) => (Kind, Body, Facts) = (kind, body, facts);

    public CallKind Kind { get; private set; }

    public ReadOnlyMemory<byte> Body { get; private set; }

    public BodyFacts Facts { get; private set; }

    public bool IsTranslated => _steps.Count > 0;

    public static (Spoken? Spoken, CallError? Error) Of(Call call, ApiDialect target)
    {
        var spoken = new Spoken(call.Kind, call.Body.Bytes, call.Facts);
        if (Translation.Between(call.Kind, target) is not { } translations)
            return (null, CallError.Invalid($"What stands behind '{call.Facts.Model}' has no {call.Kind.Path}.", "model"));
        if (translations.Count == 0)
            return (spoken, null);
        try
        {
            return spoken.Translate(call, translations) is { } error ? (null, error) : (spoken, null);
        }
        catch (FieldFault fault)
        {
            return (null, CallError.Invalid(fault.Message, fault.Param));
        }
    }

    /// <summary>The way back; null where the answer is the client's as it is.</summary>
    public AnswerTranslation? Answering(Call call) => IsTranslated
        ? new AnswerChain([.. Enumerable.Reverse(_steps).Select(step => step.Translation.Answering(call, step.Request))]) : null;

    private CallError? Translate(Call call, IReadOnlyList<Translation> translations)
    {
        var json = Fields.Parse(Body.Span);
        foreach (var translation in translations)
        {
            _steps.Add((translation, json));
            json = translation.Request(json);
        }
        var kind = translations[^1].Target;
        var body = Fields.Bytes(json);
        if (!call.Body.TryCount(body.Length))
            return CallError.NoMemory;
        if (BodyScan.Read(body, kind.Shape, out var facts) is { } fault)
            return CallError.Invalid(fault.Message, fault.Param);
        (Kind, Body, Facts) = (kind, body, facts);
        return null;
    }
}
