using System.Text.Json;
using Cairn.Frameworks.Engine.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Cairn.Frameworks.Engine.OpenAi;

/// <summary><c>GET /v1/models</c> and <c>/v1/models/{id}</c>.</summary>
internal static class ModelEndpoints
{
    public static void Map(IEndpointRouteBuilder app, LoadedModels models)
    {
        app.MapGet("/v1/models", async context =>
        {
            await using (var json = Begin(context))
            {
                json.WriteStartObject();
                json.WriteString("object"u8, "list"u8);
                json.WriteStartArray("data"u8);
                foreach (var model in models.All<ServedModel>())
                    Write(json, model);
                json.WriteEndArray();
                json.WriteEndObject();
            }

            await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
        });

        // Names such as org/name come as one segment with %2F, or as two.
        app.MapGet("/v1/models/{**id}", async context =>
        {
            var name = Uri.UnescapeDataString((string)context.Request.RouteValues["id"]!);
            if (models.Find(name) is not { } model)
            {
                await OpenAiError.UnknownModel(name).WriteAsync(context);
                return;
            }

            await using (var json = Begin(context))
                Write(json, model);
            await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
        });
    }

    private static Utf8JsonWriter Begin(HttpContext context)
    {
        context.Response.ContentType = "application/json";
        return new Utf8JsonWriter(context.Response.BodyWriter, WireJson.Options);
    }

    private static void Write(Utf8JsonWriter json, ServedModel model)
    {
        json.WriteStartObject();
        json.WriteString("id"u8, model.Name);
        json.WriteString("object"u8, "model"u8);
        json.WriteNumber("created"u8, model.Loaded.ToUnixTimeSeconds());
        json.WriteString("owned_by"u8, "cairn"u8);
        if (model.ContextLength is { } length)
            json.WriteNumber("max_model_len"u8, length);
        json.WriteEndObject();
    }
}
