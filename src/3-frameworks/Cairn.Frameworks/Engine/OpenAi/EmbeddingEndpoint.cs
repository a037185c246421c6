using System.Runtime.InteropServices;
using System.Text.Json;
using Cairn.Frameworks.Engine.Hosting;
using Cairn.Frameworks.Engine.OpenAi.Answers;
using Cairn.Frameworks.Engine.OpenAi.Requests;
using Microsoft.AspNetCore.Http;

namespace Cairn.Frameworks.Engine.OpenAi;

/// <summary><c>POST /v1/embeddings</c>.</summary>
internal sealed class EmbeddingEndpoint(LoadedModels models, LanguageFace face)
{
    private const int MostInputs = 2048;

    public Task AnswerAsync(HttpContext context) => face.AnswerAsync(context, fields => AnswerAsync(context, fields));

    private async Task<OpenAiError?> AnswerAsync(HttpContext context, Fields fields)
    {
        var name = fields.Text("model", 256);
        var inputs = PromptFields.Read(fields, "input", MostInputs);
        var base64 = fields.OneOf("encoding_format", "float", "base64") == "base64";
        var dimensions = (int?)fields.Integer("dimensions", 1, int.MaxValue);
        if (fields.Error is not null)
            return fields.Error;
        var (model, embedder, error) = Find(name);
        if (embedder is null)
            return error;
        if (dimensions > embedder.Dimensions)
            return OpenAiError.Invalid("dimensions", $"dimensions is {dimensions}; this model's vectors have {embedder.Dimensions}.");
        try
        {
            var embedded = await embedder.EmbedAsync([.. inputs.Select(input => new EmbeddingInput(input.Text, input.Tokens))],
                context.RequestAborted);
            await WholeAnswer.SendAsync(context, json => Write(json, model!.Name, embedded, dimensions, base64));
            return null;
        }
        catch (ArgumentException exception)
        {
            return OpenAiError.Invalid("input", exception.Message);
        }
    }

    private (ServedModel? Model, ITextEmbedder? Embedder, OpenAiError? Error) Find(string? name)
    {
        if (name is null)
        {
            return models.All<ITextEmbedder>() is [ServedModel only]
                ? (only, (ITextEmbedder)only, null)
                : (null, null, OpenAiError.Invalid("model", "model is missing; GET /v1/models lists the names.",
                    "missing_required_parameter"));
        }

        return models.Find(name) switch
        {
            null => (null, null, OpenAiError.UnknownModel(name)),
            ITextEmbedder embedder and ServedModel model => (model, embedder, null),
            _ => (null, null, OpenAiError.Invalid("model", $"The model '{name}' does not embed texts.", "model_not_supported")),
        };
    }

    private static void Write(Utf8JsonWriter json, string model, EmbeddedTexts embedded, int? dimensions, bool base64)
    {
        json.WriteStartObject();
        json.WriteString("object"u8, "list"u8);
        json.WriteStartArray("data"u8);
        for (var i = 0; i < embedded.Vectors.Count; i++)
        {
            json.WriteStartObject();
            json.WriteString("object"u8, "embedding"u8);
            json.WriteNumber("index"u8, i);
            var vector = dimensions is { } cut && cut < embedded.Vectors[i].Length ? Shortened(embedded.Vectors[i], cut)
                : embedded.Vectors[i];
            if (base64)
            {
                // Little-endian, as every machine is that this runs on.
                json.WriteBase64String("embedding"u8, MemoryMarshal.AsBytes(vector.AsSpan()));
            }
            else
            {
                json.WriteStartArray("embedding"u8);
                foreach (var number in vector)
                    json.WriteNumberValue(number);
                json.WriteEndArray();
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteString("model"u8, model);
        json.WriteStartObject("usage"u8);
        json.WriteNumber("prompt_tokens"u8, embedded.PromptTokens);
        json.WriteNumber("total_tokens"u8, embedded.PromptTokens);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    // Matryoshka models put what matters first (Kusupati et al. 2022); what is left is scaled to length one again.
    private static float[] Shortened(float[] vector, int dimensions)
    {
        var cut = vector[..dimensions];
        var length = MathF.Sqrt(cut.Sum(number => number * number));
        return length > 0 ? [.. cut.Select(number => number / length)] : cut;
    }
}
