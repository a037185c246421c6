using System.Buffers;
using System.Net.Http.Headers;
using System.Text.Json;
using Cairn.Contracts.Api;

namespace Cairn.Cli.Jobs;

/// <summary>
/// The documents between typing <c>cairn run</c> and the program's first line, read and written by hand. The serializer would first look
/// at every type of the API that they mention and compile code for it, which takes longer than all that the server and the node do.
/// </summary>
internal static class StartDocuments
{
    /// <summary>The request as the REST API reads it.</summary>
    public static HttpContent Write(SubmitJobRequest request)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            Write(json, "workload", request.Workload);
            Write(json, "file_name", request.FileName);
            Write(json, "name", request.Name);
            Write(json, "project", request.Project);
            Write(json, "env", request.Env);
            Write(json, "secrets", request.Secrets);
            Write(json, "at", request.At);
            if (request.Workdir is not null)
                Write(json, "workdir", request.Workdir);
            json.WriteEndObject();
        }

        var content = new ReadOnlyMemoryContent(buffer.WrittenMemory);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        return content;
    }

    /// <summary>What of an accepted job is needed to follow it.</summary>
    public static AcceptedJob ReadAccepted(JsonElement job) => new(
        job.GetProperty("id").GetString()!, job.GetProperty("name").GetString()!, job.GetProperty("phase").GetString()!, job.GetProperty("nodes").GetInt32());

    /// <summary>One event of a log stream.</summary>
    public static LogLineView ReadLine(string data)
    {
        using var document = JsonDocument.Parse(data);
        var line = document.RootElement;
        return new LogLineView(
            line.GetProperty("at").GetDateTimeOffset(), line.GetProperty("attempt").GetInt32(), line.GetProperty("rank").GetInt32(),
            line.GetProperty("stream").GetString()!, line.GetProperty("text").GetString()!, line.GetProperty("cursor").GetString()!,
            line.TryGetProperty("partial", out var partial) ? partial.GetBoolean() : null);
    }

    private static void Write(Utf8JsonWriter json, string name, string? text)
    {
        if (text is not null)
            json.WriteString(name, text);
    }

    private static void Write(Utf8JsonWriter json, string name, IReadOnlyDictionary<string, string>? variables)
    {
        if (variables is null)
            return;
        json.WriteStartObject(name);
        foreach (var (key, value) in variables)
            json.WriteString(key, value);
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, string name, ApiManifest manifest)
    {
        json.WriteStartObject(name);
        json.WriteStartArray("files");
        foreach (var file in manifest.Files)
        {
            json.WriteStartObject();
            Write(json, "path", file.Path);
            Write(json, "hash", file.Hash);
            json.WriteNumber("size_bytes", file.SizeBytes);
            json.WriteNumber("mode", file.Mode);
            Write(json, "link_target", file.LinkTarget);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }
}

/// <param name="Phase">In the API's word.</param>
/// <param name="Nodes">Ranks of the gang.</param>
internal sealed record AcceptedJob(string Id, string Name, string Phase, int Nodes);
