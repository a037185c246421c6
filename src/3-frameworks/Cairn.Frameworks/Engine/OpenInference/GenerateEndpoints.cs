using System.Text;
using System.Text.Json;
using Cairn.Frameworks.Engine.Hosting;
using Cairn.Frameworks.Engine.OpenAi;
using Cairn.Frameworks.Engine.Tensors;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Cairn.Frameworks.Engine.OpenInference;

/// <summary>Triton's generate extension: text in, text out, whole or as server-sent events.</summary>
internal static class GenerateEndpoints
{
    private const int BodyLimit = 16 << 20;

    public static void Map(IEndpointRouteBuilder app, LoadedModels models, EngineReadiness readiness)
    {
        foreach (var model in new[] { "/v2/models/{model}", "/v2/models/{model}/versions/{version}" })
        {
            Post($"{model}/generate", context => GenerateAsync(context, models, streams: false));
            Post($"{model}/generate_stream", context => GenerateAsync(context, models, streams: true));
        }

        void Post(string route, Func<HttpContext, Task> handle) =>
            app.MapPost(route, (RequestDelegate)(context => OpenInferenceError.GuardAsync(context, readiness, handle)));
    }

    private static async Task GenerateAsync(HttpContext context, LoadedModels models, bool streams)
    {
        var name = (string)context.Request.RouteValues["model"]!;
        if (context.Request.RouteValues["version"] is not (null or "1") || models.Find(name) is not ServedLanguageModel model)
            throw RefusedException.NotFound($"Request for unknown model: '{name}' is not a language model here");
        using var body = await RequestBody.ReadAsync(context, BodyLimit);
        var request = GenerateRequest.Read(body.Memory);
        try
        {
            var pieces = Start(model.Model, request, context.RequestAborted).ReadAllAsync(context.RequestAborted);
            if (streams && request.Stream)
                await StreamAsync(context, name, pieces);
            else
                await AnswerAsync(context, name, pieces, streams);
        }
        catch (RequestRefusedException refused)
        {
            var kind = refused.Reason == RequestRefusal.QueueFull ? RefusalKind.QueueFull : RefusalKind.Invalid;
            throw new RefusedException(new(kind, refused.Message), refused);
        }
        catch (EngineException failure)
        {
            await FailAsync(context, failure.Message);
        }
    }

    private static Generation Start(LanguageModel model, GenerateRequest request, CancellationToken cancellationToken)
    {
        if (request.Sampling.Problems(model.Tokenizer.VocabularySize) is [{ } problem, ..])
            throw RefusedException.Invalid(problem);
        var prompt = model.Tokenizer.Encode(request.Text);
        if (prompt.Length == 0 || prompt.Length >= model.ContextLength)
            throw RefusedException.Invalid($"'text_input' has {prompt.Length} tokens; 1 to {model.ContextLength - 1} are taken");
        if (request.MaximumTokens < 1)
            throw RefusedException.Invalid($"'max_tokens' is {request.MaximumTokens}; 1 or more is expected");
        return model.Start(
            new()
            {
                Prompt = prompt,
                MaximumTokens = request.MaximumTokens,
                Sampling = request.Sampling,
                Stops = request.Stops,
                IgnoreEnd = request.IgnoreEnd,
            },
            cancellationToken);
    }

    private static async Task AnswerAsync(HttpContext context, string name, IAsyncEnumerable<GenerationPiece> pieces, bool asEvent)
    {
        var text = new StringBuilder();
        await foreach (var piece in pieces)
            text.Append(piece.Text);
        if (asEvent)
        {
            BeginEvents(context);
            await EventAsync(context, json => WritePiece(json, name, text.ToString()));
        }
        else
            await OpenInferenceError.WriteJsonAsync(context, json => WritePiece(json, name, text.ToString()));
    }

    private static async Task StreamAsync(HttpContext context, string name, IAsyncEnumerable<GenerationPiece> pieces)
    {
        await foreach (var piece in pieces)
        {
            if (!context.Response.HasStarted)
                BeginEvents(context);
            if (piece.Text.Length > 0 || piece.Finish is not null)
                await EventAsync(context, json => WritePiece(json, name, piece.Text));
        }
    }

    private static void BeginEvents(HttpContext context)
    {
        context.Response.ContentType = "text/event-stream; charset=utf-8";
        context.Response.Headers.CacheControl = "no-cache";
    }

    private static async Task EventAsync(HttpContext context, Action<Utf8JsonWriter> write)
    {
        var writer = context.Response.BodyWriter;
        await writer.WriteAsync("data: "u8.ToArray(), context.RequestAborted);
        await using (var json = new Utf8JsonWriter(writer, WireJson.Options))
            write(json);
        await writer.WriteAsync("\n\n"u8.ToArray(), context.RequestAborted);
    }

    /// <summary>A status where none was sent yet, else an event with the error, as the extension asks for.</summary>
    private static Task FailAsync(HttpContext context, string message) => context.Response.HasStarted
        ? EventAsync(context, json =>
        {
            json.WriteStartObject();
            json.WriteString("error"u8, message);
            json.WriteEndObject();
        })
        : OpenInferenceError.WriteAsync(context, new(RefusalKind.Failed, message));

    private static void WritePiece(Utf8JsonWriter json, string name, string text)
    {
        json.WriteStartObject();
        json.WriteString("model_name"u8, name);
        json.WriteString("model_version"u8, "1"u8);
        json.WriteString("text_output"u8, text);
        json.WriteEndObject();
    }
}
