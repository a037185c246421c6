using System.Text.Json;
using Cairn.Frameworks.Engine.Hosting;
using Cairn.Frameworks.Engine.OpenAi;
using Cairn.Frameworks.Engine.OpenAi.Answers;
using Cairn.Frameworks.Engine.OpenAi.Requests;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Cairn.Frameworks.Engine.Embedding;

/// <summary><c>POST /v1/rerank</c>, <c>/v2/rerank</c> and <c>/rerank</c> in the shape of Jina's and Cohere's APIs.</summary>
internal sealed class RerankEndpoint(LoadedModels models, LanguageFace face)
{
    private const int MostDocuments = 2048;

    public static void Map(IEndpointRouteBuilder app, LoadedModels models, LanguageFace face)
    {
        var endpoint = new RerankEndpoint(models, face);
        foreach (var route in new[] { "/v1/rerank", "/v2/rerank", "/rerank" })
            app.MapPost(route, (RequestDelegate)endpoint.AnswerAsync);
    }

    private Task AnswerAsync(HttpContext context) => face.AnswerAsync(context, fields => AnswerAsync(context, fields));

    private async Task<OpenAiError?> AnswerAsync(HttpContext context, Fields fields)
    {
        var name = fields.Text("model", 256);
        var query = fields.Text("query");
        var documents = Documents(fields);
        var top = (int?)fields.Integer("top_n", 1, int.MaxValue);
        var returns = fields.Flag("return_documents") ?? false;
        if (query is null && fields.Error is null)
            fields.Refuse("query", "query is missing; expected a text.");
        if (documents.Count == 0 && fields.Error is null)
            fields.Refuse("documents", "documents is missing or empty; expected texts.");
        if (fields.Error is not null)
            return fields.Error;
        var (model, error) = Find(name);
        if (model is null)
            return error;
        try
        {
            var ranked = await model.RerankAsync(query!, documents, context.RequestAborted);
            await WholeAnswer.SendAsync(context, json => Write(json, model.Name, ranked, new(documents, top ?? documents.Count, returns)));
            return null;
        }
        catch (ArgumentException exception)
        {
            return OpenAiError.Invalid("documents", exception.Message);
        }
    }

    /// <summary>Texts, or objects with one under <c>text</c>.</summary>
    private static List<string> Documents(Fields fields)
    {
        var documents = new List<string>();
        foreach (var item in fields.Array("documents", MostDocuments))
        {
            var text = item.ValueKind == JsonValueKind.Object && item.TryGetProperty("text", out var inner) ? inner : item;
            if (text.ValueKind == JsonValueKind.String)
                documents.Add(text.GetString()!);
            else
                fields.WrongKind($"documents[{documents.Count}]", text, "a text, or an object with one as 'text'");
            if (fields.Error is not null)
                return [];
        }

        return documents;
    }

    private (ServedReranker? Model, OpenAiError? Error) Find(string? name)
    {
        if (name is null)
        {
            return models.All<ServedReranker>() is [var only]
                ? (only, null)
                : (null, OpenAiError.Invalid("model", "model is missing; GET /v1/models lists the names.", "missing_required_parameter"));
        }

        return models.Find(name) switch
        {
            ServedReranker model => (model, null),
            null => (null, OpenAiError.UnknownModel(name)),
            _ => (null, OpenAiError.Invalid("model", $"The model '{name}' does not rerank documents.", "model_not_supported")),
        };
    }

    private static void Write(Utf8JsonWriter json, string model, RerankedDocuments ranked, Asked asked)
    {
        json.WriteStartObject();
        json.WriteString("model"u8, model);
        json.WriteStartObject("usage"u8);
        json.WriteNumber("prompt_tokens"u8, ranked.Tokens);
        json.WriteNumber("total_tokens"u8, ranked.Tokens);
        json.WriteEndObject();
        json.WriteStartArray("results"u8);
        var best = Enumerable.Range(0, ranked.Scores.Length).OrderByDescending(index => ranked.Scores[index]).ThenBy(index => index);
        foreach (var index in best.Take(asked.Top))
        {
            json.WriteStartObject();
            json.WriteNumber("index"u8, index);
            if (asked.ReturnsDocuments)
            {
                json.WriteStartObject("document"u8);
                json.WriteString("text"u8, asked.Documents[index]);
                json.WriteEndObject();
            }

            json.WriteNumber("relevance_score"u8, ranked.Scores[index]);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private sealed record Asked(List<string> Documents, int Top, bool ReturnsDocuments);
}
