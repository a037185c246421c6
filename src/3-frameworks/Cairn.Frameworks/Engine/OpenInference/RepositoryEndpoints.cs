using System.Text.Json;
using Cairn.Frameworks.Engine.Hosting;
using Cairn.Frameworks.Engine.Tensors;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Cairn.Frameworks.Engine.OpenInference;

/// <summary>Triton's model repository extension: index, load, unload.</summary>
internal static class RepositoryEndpoints
{
    public static void Map(IEndpointRouteBuilder app, ModelRepository repository, EngineReadiness readiness)
    {
        app.MapPost("/v2/repository/index", (RequestDelegate)(context => OpenInferenceError.GuardAsync(context, guarded => IndexAsync(guarded, repository))));
        Change("/v2/repository/models/{model}/load", context => LoadAsync(context, repository));
        Change("/v2/repository/models/{model}/unload", context => UnloadAsync(context, repository));

        void Change(string route, Func<HttpContext, Task> handle) =>
            app.MapPost(route, (RequestDelegate)(context => OpenInferenceError.GuardAsync(context, readiness, handle)));
    }

    /// <exception cref="RefusedException">Loading and unloading by call is switched off.</exception>
    public static void CheckControl(ModelRepository repository)
    {
        if (!repository.Options.AllowsControl)
            throw RefusedException.Unavailable("this engine's models are those of its start: load and unload are switched off");
    }

    public static string Word(ModelState state) => state.ToString().ToUpperInvariant();

    private static async Task IndexAsync(HttpContext context, ModelRepository repository)
    {
        using var request = await ReadAsync(context, repository.Options.BodyBytesLimit);
        var ready = request?.RootElement.ValueKind == JsonValueKind.Object && request.RootElement.TryGetProperty("ready", out var flag)
            && flag.ValueKind == JsonValueKind.True;
        await OpenInferenceError.WriteJsonAsync(context, json =>
        {
            json.WriteStartArray();
            foreach (var state in repository.Index(ready))
            {
                json.WriteStartObject();
                json.WriteString("name"u8, state.Name);
                if (state.Version.Length > 0)
                    json.WriteString("version"u8, state.Version);
                json.WriteString("state"u8, Word(state.State));
                if (state.Reason.Length > 0)
                    json.WriteString("reason"u8, state.Reason);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        });
    }

    private static async Task LoadAsync(HttpContext context, ModelRepository repository)
    {
        CheckControl(repository);
        using var request = await ReadAsync(context, repository.Options.BodyBytesLimit);
        await repository.LoadAsync((string)context.Request.RouteValues["model"]!, Overrides(request), context.RequestAborted);
    }

    private static async Task UnloadAsync(HttpContext context, ModelRepository repository)
    {
        CheckControl(repository);
        using var request = await ReadAsync(context, repository.Options.BodyBytesLimit);
        await repository.UnloadAsync((string)context.Request.RouteValues["model"]!, context.RequestAborted);
    }

    private static ModelOverrides? Overrides(JsonDocument? request)
    {
        if (request?.RootElement.ValueKind != JsonValueKind.Object || !request.RootElement.TryGetProperty("parameters", out var parameters))
            return null;
        if (parameters.ValueKind != JsonValueKind.Object)
            throw RefusedException.Invalid("'parameters' is not an object");
        string? config = null;
        var files = new Dictionary<string, ReadOnlyMemory<byte>>(StringComparer.Ordinal);
        foreach (var parameter in parameters.EnumerateObject())
        {
            if (parameter.Value.ValueKind != JsonValueKind.String)
                throw RefusedException.Invalid($"the load parameter '{parameter.Name}' is not a string");
            if (parameter.Name == "config")
                config = parameter.Value.GetString();
            else if (!parameter.Name.StartsWith("file:", StringComparison.Ordinal))
                throw RefusedException.Invalid(
                    $"the load parameter '{parameter.Name}' is not known; 'config' or 'file:VERSION/NAME' is expected");
            else if (parameter.Value.TryGetBytesFromBase64(out var content))
                files[parameter.Name["file:".Length..]] = content;
            else
                throw RefusedException.Invalid($"'{parameter.Name}' is not base64");
        }

        return new(config, files);
    }

    private static async Task<JsonDocument?> ReadAsync(HttpContext context, int limit)
    {
        using var body = await RequestBody.ReadAsync(context, limit);
        if (body.Length == 0)
            return null;
        try
        {
            // A copy of its own: the document outlives the rented body.
            return JsonDocument.Parse(body.Span.ToArray());
        }
        catch (JsonException failure)
        {
            throw RefusedException.Invalid($"failed to parse the request JSON buffer: {failure.Message}");
        }
    }
}
