using System.Text.Json;
using Cairn.Frameworks.Engine.Hosting;
using Cairn.Frameworks.Engine.OpenInference.Wire;
using Cairn.Frameworks.Engine.Tensors;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Cairn.Frameworks.Engine.OpenInference;

/// <summary>What there is: the server, the models, their readiness, configurations and statistics.</summary>
internal static class MetadataEndpoints
{
    public static void Map(IEndpointRouteBuilder app, ModelRepository repository, LoadedModels models)
    {
        Get("/v2", context => OpenInferenceError.WriteJsonAsync(context, ServerMetadata.Write));
        Get("/v2/models", context => OpenInferenceError.WriteJsonAsync(context, json => WriteNames(json, repository, models)));
        Get("/v2/models/stats", context => WriteStatistics(context, repository.Loaded));
        foreach (var model in new[] { "/v2/models/{model}", "/v2/models/{model}/versions/{version}" })
        {
            Get(model, context => WriteModel(context, repository, models));
            Get($"{model}/ready", context => WriteReady(context, repository, models));
            Get($"{model}/config", context =>
                OpenInferenceError.WriteJsonAsync(context, json => ModelConfigJson.Write(json, Find(context, repository).Config)));
            Get($"{model}/stats", context => WriteStatistics(context, Versions(context, repository)));
        }

        void Get(string route, Func<HttpContext, Task> handle) =>
            app.MapGet(route, (RequestDelegate)(context => OpenInferenceError.GuardAsync(context, handle)));
    }

    private static ModelVersion Find(HttpContext context, ModelRepository repository) =>
        repository.Find((string)context.Request.RouteValues["model"]!, (string?)context.Request.RouteValues["version"]);

    private static IEnumerable<ModelVersion> Versions(HttpContext context, ModelRepository repository)
    {
        var found = Find(context, repository);
        return context.Request.RouteValues["version"] is null ? repository.VersionsOf(found.Name) : [found];
    }

    private static ServedLanguageModel? Language(HttpContext context, LoadedModels models) =>
        models.Find((string)context.Request.RouteValues["model"]!) as ServedLanguageModel;

    private static void WriteNames(Utf8JsonWriter json, ModelRepository repository, LoadedModels models)
    {
        json.WriteStartObject();
        json.WriteStartArray("models"u8);
        var names = repository.ReadyNames.Concat(models.All<ServedModel>().Select(model => model.Name));
        foreach (var name in names.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal))
            json.WriteStringValue(name);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static Task WriteModel(HttpContext context, ModelRepository repository, LoadedModels models)
    {
        if (Language(context, models) is { } language)
            return OpenInferenceError.WriteJsonAsync(context, json => WriteModel(json, LanguageMetadata.Of(language)));
        var model = Find(context, repository);
        var metadata = ServerMetadata.Of(model, repository.VersionsOf(model.Name));
        return OpenInferenceError.WriteJsonAsync(context, json => WriteModel(json, metadata));
    }

    private static void WriteModel(Utf8JsonWriter json, ModelMetadataResponse model)
    {
        json.WriteStartObject();
        json.WriteString("name"u8, model.Name);
        json.WriteStartArray("versions"u8);
        foreach (var version in model.Versions)
            json.WriteStringValue(version);
        json.WriteEndArray();
        json.WriteString("platform"u8, model.Platform);
        WriteTensors(json, "inputs"u8, model.Inputs);
        WriteTensors(json, "outputs"u8, model.Outputs);
        json.WriteEndObject();
    }

    private static void WriteTensors(
        Utf8JsonWriter json, ReadOnlySpan<byte> name, IEnumerable<ModelMetadataResponse.Types.TensorMetadata> tensors)
    {
        json.WriteStartArray(name);
        foreach (var tensor in tensors)
        {
            json.WriteStartObject();
            json.WriteString("name"u8, tensor.Name);
            json.WriteString("datatype"u8, tensor.Datatype);
            json.WriteStartArray("shape"u8);
            foreach (var dimension in tensor.Shape)
                json.WriteNumberValue(dimension);
            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static Task WriteReady(HttpContext context, ModelRepository repository, LoadedModels models)
    {
        var name = (string)context.Request.RouteValues["model"]!;
        var ready = true;
        if (Language(context, models) is null)
            try
            {
                _ = Find(context, repository);
            }
            catch (RefusedException refused) when (refused.Refusal.Kind == RefusalKind.Unavailable)
            {
                ready = false;
            }

        context.Response.StatusCode = ready ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
        return OpenInferenceError.WriteJsonAsync(context, json =>
        {
            json.WriteStartObject();
            json.WriteString("name"u8, name);
            json.WriteBoolean("ready"u8, ready);
            json.WriteEndObject();
        });
    }

    private static Task WriteStatistics(HttpContext context, IEnumerable<ModelVersion> versions) =>
        OpenInferenceError.WriteJsonAsync(context, json =>
        {
            json.WriteStartObject();
            json.WriteStartArray("model_stats"u8);
            foreach (var version in versions)
                ModelConfigJson.Write(json, StatisticsMessage.Of(version));
            json.WriteEndArray();
            json.WriteEndObject();
        });
}
