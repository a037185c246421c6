using System.Text.Json;
using Cairn.Serving.Gateway.Calls;
using Cairn.Serving.Gateway.Snapshots;

namespace Cairn.Serving.Gateway.Bodies;

/// <summary>A body that came for an endpoint's own DNS name: whatever model it names, or where it names none, the endpoint's is meant.</summary>
internal static class HostedBody
{
    /// <summary>Reads a body and writes the endpoint's model into it, so that everything behind sees one name.</summary>
    public static CallError? Read(RequestBody body, BodyShape shape, HostRoute host, out BodyFacts facts)
    {
        if (BodyScan.Read(body.Bytes.Span, shape, out facts, needsModel: false) is { } fault)
            return CallError.Invalid(fault.Message, fault.Param);
        if (host.Model is not { } model || facts.Model == model)
            return null;
        if (!body.TryReplace(Named(body.Bytes.Span, facts, JsonSerializer.SerializeToUtf8Bytes(model))))
            return CallError.NoMemory;
        return BodyScan.Read(body.Bytes.Span, shape, out facts) is { } wrong ? CallError.Invalid(wrong.Message, wrong.Param) : null;
    }

    private static byte[] Named(ReadOnlySpan<byte> body, in BodyFacts facts, byte[] name) => facts.ModelPiece.IsNone
        ? [.. body[..facts.FirstMember], .. "\"model\":"u8, .. name, .. ","u8, .. body[facts.FirstMember..]]
        : [.. body[..facts.ModelPiece.Start], .. name, .. body[facts.ModelPiece.End..]];
}
