using System.Buffers;
using System.Globalization;
using System.IO.Compression;
using System.Text.Json;
using Cairn.Frameworks.Engine.OpenAi;
using Cairn.Frameworks.Engine.Tensors;
using Microsoft.AspNetCore.Http;

namespace Cairn.Frameworks.Engine.OpenInference;

/// <summary>Writes an answer: its JSON, and behind it the bytes of the outputs that were asked for as such.</summary>
internal static class InferResponseWriter
{
    public const string JsonLengthHeader = "Inference-Header-Content-Length";

    // Below this a packed answer is hardly shorter and costs more time than it saves.
    private const int PacksFrom = 1024;

    [ThreadStatic]
    private static (ArrayBufferWriter<byte> Buffer, Utf8JsonWriter Json)? _json;

    public static async Task WriteAsync(HttpContext context, InferCall call, ModelVersion version, Tensor[] outputs)
    {
        var binary = new bool[outputs.Length];
        long length = 0;
        for (var i = 0; i < outputs.Length; i++)
        {
            binary[i] = call.Find(outputs[i].Name)?.Binary ?? call.BinaryOutput;
            length += binary[i] ? outputs[i].Data.Length : 0;
        }

        var response = context.Response;
        var anyBinary = Array.Exists(binary, is1 => is1);
        response.ContentType = anyBinary ? "application/octet-stream" : "application/json";
        var pack = Encoding(context.Request);
        // The JSON lies in memory of this thread: it must be handed on before anything is awaited.
        var json = Json(call, version, outputs, binary);
        length += json.Length;
        if (anyBinary)
            response.Headers[JsonLengthHeader] = json.Length.ToString(CultureInfo.InvariantCulture);
        if (pack is null || length < PacksFrom)
        {
            response.ContentLength = length;
            response.BodyWriter.Write(json);
            for (var i = 0; i < outputs.Length; i++)
                if (binary[i])
                    await response.BodyWriter.WriteAsync(outputs[i].Data, context.RequestAborted);
            await response.BodyWriter.FlushAsync(context.RequestAborted);
            return;
        }

        var header = json.ToArray();
        response.Headers.ContentEncoding = pack;
        await using Stream packed = pack == "gzip"
            ? new GZipStream(response.Body, CompressionLevel.Fastest)
            : new ZLibStream(response.Body, CompressionLevel.Fastest);
        await packed.WriteAsync(header, context.RequestAborted);
        for (var i = 0; i < outputs.Length; i++)
            if (binary[i])
                await packed.WriteAsync(outputs[i].Data, context.RequestAborted);
    }

    private static ReadOnlySpan<byte> Json(InferCall call, ModelVersion version, Tensor[] outputs, bool[] binary)
    {
        _json ??= NewJson();
        var (buffer, json) = _json.Value;
        if (buffer.Capacity > 1 << 20)
            (buffer, json) = (_json = NewJson()).Value;
        buffer.ResetWrittenCount();
        json.Reset(buffer);
        json.WriteStartObject();
        if (call.Id is not null)
            json.WriteString("id"u8, call.Id);
        json.WriteString("model_name"u8, version.Name);
        json.WriteString("model_version"u8, version.VersionText);
        json.WriteStartArray("outputs"u8);
        for (var i = 0; i < outputs.Length; i++)
            Output(json, outputs[i], binary[i]);
        json.WriteEndArray();
        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenSpan;
    }

    private static void Output(Utf8JsonWriter json, Tensor output, bool binary)
    {
        json.WriteStartObject();
        json.WriteString("name"u8, output.Name);
        json.WriteString("datatype"u8, output.Type.Name());
        json.WriteStartArray("shape"u8);
        foreach (var dimension in output.Shape)
            json.WriteNumberValue(dimension);
        json.WriteEndArray();
        if (binary)
        {
            json.WriteStartObject("parameters"u8);
            json.WriteNumber("binary_data_size"u8, output.Data.Length);
            json.WriteEndObject();
        }
        else
        {
            json.WritePropertyName("data"u8);
            TensorJson.Write(json, output);
        }

        json.WriteEndObject();
    }

    private static (ArrayBufferWriter<byte>, Utf8JsonWriter) NewJson()
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        return (buffer, new Utf8JsonWriter(buffer, WireJson.Options));
    }

    /// <summary>gzip or deflate where the client takes it, gzip first; null where it takes neither.</summary>
    private static string? Encoding(HttpRequest request)
    {
        var accepted = request.Headers.AcceptEncoding;
        if (accepted.Count == 0)
            return null;
        string? found = null;
        foreach (var part in accepted.ToString().Split(',', StringSplitOptions.TrimEntries))
        {
            var name = part.Split(';', 2)[0].Trim();
            if (part.Contains("q=0", StringComparison.Ordinal) && !part.Contains("q=0.", StringComparison.Ordinal))
                continue;
            if (name == "gzip")
                return "gzip";
            if (name == "deflate")
                found = "deflate";
        }

        return found;
    }
}
