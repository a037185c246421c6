using System.Globalization;
using Cairn.Frameworks.Engine.Hosting;
using Cairn.Frameworks.Engine.Tensors;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Cairn.Frameworks.Engine.OpenInference;

/// <summary><c>POST /v2/models/{model}[/versions/{version}]/infer</c>.</summary>
internal static class InferEndpoints
{
    public static void Map(IEndpointRouteBuilder app, ModelRepository repository, EngineReadiness readiness)
    {
        RequestDelegate infer = context => OpenInferenceError.GuardAsync(context, readiness, guarded => InferAsync(guarded, repository));
        app.MapPost("/v2/models/{model}/infer", infer);
        app.MapPost("/v2/models/{model}/versions/{version}/infer", infer);
    }

    private static async Task InferAsync(HttpContext context, ModelRepository repository)
    {
        var name = (string)context.Request.RouteValues["model"]!;
        var version = (string?)context.Request.RouteValues["version"];
        var found = repository.Find(name, version);
        using var body = await RequestBody.ReadAsync(context, repository.Options.BodyBytesLimit);
        using var scratch = new PooledBytes(repository.Options.BodyBytesLimit);
        var call = Read(context.Request, body, scratch, found);
        var (answered, answer) = await repository.InferAsync((name, version), call.Request(), context.RequestAborted);
        if (answer.Refusal is { } refusal)
        {
            await OpenInferenceError.WriteAsync(context, refusal);
            return;
        }

        await InferResponseWriter.WriteAsync(context, call, answered, Classification.Apply(call, answered, answer.Outputs!));
    }

    private static InferCall Read(HttpRequest request, PooledBytes body, PooledBytes scratch, ModelVersion model)
    {
        if (!request.Headers.TryGetValue(InferResponseWriter.JsonLengthHeader, out var header))
            return new InferRequestReader(body.Memory, body.Length, scratch).Read();
        if (!int.TryParse(header.ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out var length))
            throw RefusedException.Invalid($"Inference-Header-Content-Length is '{header}'; a number of bytes is expected");
        return length == 0 ? RawRequest.Read(body.Memory, model) : new InferRequestReader(body.Memory, length, scratch).Read();
    }
}
