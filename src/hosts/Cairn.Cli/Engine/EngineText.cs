using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Cairn.Cli.CommandLine;
using Cairn.Frameworks.Engine.Hosting;

namespace Cairn.Cli.Engine;

/// <summary>What the engine says when it is ready: a few lines for people on stderr, one line of JSON for programs on stdout.</summary>
internal static class EngineText
{
    public static void Announce(Output output, EngineHost host, TimeSpan took)
    {
        if (output.IsJson)
        {
            Console.Out.WriteLine(Json(host, took));
            return;
        }

        output.NoteMarkup($"[green]The engine is ready[/] after {Words.Duration(took)}.");
        output.Note($"  OpenAI   {host.HttpAddress}/v1");
        output.Note($"  health   {host.HttpAddress}/health   metrics {host.HttpAddress}/metrics");
        if (host.GrpcAddress is not null)
            output.Note($"  gRPC     {host.GrpcAddress}");
        foreach (var model in host.Models.All<ServedModel>())
            output.Note($"  model    {Describe(model)}");
        foreach (var name in host.Repository.ReadyNames)
            output.Note($"  tensors  {host.HttpAddress}/v2/models/{name}");
    }

    private static string Describe(ServedModel model)
    {
        if (model is not ServedLanguageModel language)
            return model.Name;
        var facts = language.Model.Facts;
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{model.Name}: {facts.Precision}, context {language.Model.ContextLength} tokens, {facts.Rows} rows with at most {Words.Bytes(facts.KeyValueBytes)} of keys and values")
            + (facts.CacheInPlace ? "" : ", copied in every step")
            + (language.Template is null ? ", no chat template" : "");
    }

    // Written by hand: a serializer's set-up would be a tenth of the whole start.
    private static string Json(EngineHost host, TimeSpan took)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("http", host.HttpAddress);
            json.WriteString("grpc", host.GrpcAddress);
            json.WriteNumber("process_id", Environment.ProcessId);
            json.WriteNumber("seconds", Math.Round(took.TotalSeconds, 3));
            json.WriteStartArray("models");
            foreach (var model in host.Models.All<ServedModel>())
                Write(json, model);
            json.WriteEndArray();
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    private static void Write(Utf8JsonWriter json, ServedModel model)
    {
        json.WriteStartObject();
        json.WriteString("name", model.Name);
        if (model is ServedLanguageModel language)
        {
            json.WriteString("folder", language.Source.Folder);
            json.WriteNumber("context", language.Model.ContextLength);
            json.WriteString("precision", language.Model.Facts.Precision);
            json.WriteNumber("rows", language.Model.Facts.Rows);
            json.WriteNumber("key_value_bytes", language.Model.Facts.KeyValueBytes);
            json.WriteBoolean("cache_in_place", language.Model.Facts.CacheInPlace);
            json.WriteBoolean("chat_template", language.Template is not null);
        }

        json.WriteEndObject();
    }
}
