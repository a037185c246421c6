using Cairn.Frameworks.Engine.Embedding;
using Cairn.Frameworks.Engine.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;

namespace Cairn.Frameworks.Engine.OpenAi;

/// <summary>OpenAI's routes, and those of others that their users expect beside them.</summary>
internal static class OpenAiEndpoints
{
    public static void MapOpenAi(this IEndpointRouteBuilder app, LoadedModels models, EngineReadiness readiness, TimeProvider time)
    {
        var face = new LanguageFace(models, readiness, time);
        var tokens = new TokenizeEndpoints(face);
        ModelEndpoints.Map(app, models);
        app.MapPost("/v1/chat/completions", new ChatEndpoint(face).AnswerAsync);
        app.MapPost("/v1/completions", new CompletionEndpoint(face).AnswerAsync);
        app.MapPost("/v1/embeddings", new EmbeddingEndpoint(models, face).AnswerAsync);
        RerankEndpoint.Map(app, models, face);
        app.MapPost("/tokenize", tokens.TokenizeAsync);
        app.MapPost("/detokenize", tokens.DetokenizeAsync);
    }
}
