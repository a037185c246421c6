using System.Text.Json;

namespace Cairn.Frameworks.Engine.OpenAi.Answers;

/// <summary>What every chunk of an answer repeats.</summary>
/// <param name="Id">Such as <c>chatcmpl-…</c>.</param>
/// <param name="Created">Unix seconds.</param>
internal sealed record AnswerHead(string Id, long Created, string Model)
{
    /// <summary>The program and its version: outputs with one seed are the same while it is.</summary>
    public static readonly string Fingerprint = "cairn-" + typeof(AnswerHead).Assembly.GetName().Version!.ToString(3);

    public void WriteTo(Utf8JsonWriter json, ReadOnlySpan<byte> kind)
    {
        json.WriteString("id"u8, Id);
        json.WriteString("object"u8, kind);
        json.WriteNumber("created"u8, Created);
        json.WriteString("model"u8, Model);
        json.WriteString("system_fingerprint"u8, Fingerprint);
    }
}
