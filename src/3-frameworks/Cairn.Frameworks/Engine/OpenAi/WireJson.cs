using System.Text.Encodings.Web;
using System.Text.Json;

namespace Cairn.Frameworks.Engine.OpenAi;

/// <summary>How answers are written: no more escapes than JSON needs, and not checked again as they are written.</summary>
internal static class WireJson
{
    public static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        SkipValidation = true };

    public static void WriteText(Utf8JsonWriter json, ReadOnlySpan<byte> name, string? text)
    {
        if (text is null)
            json.WriteNull(name);
        else
            json.WriteString(name, text);
    }
}
