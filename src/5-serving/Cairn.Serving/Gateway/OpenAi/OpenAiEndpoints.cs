using Cairn.Serving.Gateway.Calls;
using Cairn.Serving.Gateway.Snapshots;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Cairn.Serving.Gateway.OpenAi;

/// <summary>OpenAI's paths.</summary>
public static class OpenAiEndpoints
{
    /// <summary>Maps chat, completions, embeddings, responses and models below <c>/v1</c>.</summary>
    public static void MapOpenAi(this IEndpointRouteBuilder routes, InferenceGateway gateway)
    {
        ArgumentNullException.ThrowIfNull(gateway);
        routes.MapPost("/v1/chat/completions", context => gateway.HandleAsync(context, CallKind.Chat));
        routes.MapPost("/v1/completions", context => gateway.HandleAsync(context, CallKind.Completion));
        routes.MapPost("/v1/embeddings", context => gateway.HandleAsync(context, CallKind.Embedding));
        ResponseEndpoints.Map(routes, gateway);
        routes.MapGet("/v1/models", context => ListAsync(context, gateway));
        routes.MapGet("/v1/models/{**model}", context => ShowAsync(context, gateway));
    }

    private static Task ListAsync(HttpContext context, InferenceGateway gateway)
    {
        if (Admission.Authenticate(context.Request, gateway.State, gateway.Now) is not { } caller)
            return ErrorAnswers.WriteAsync(context, Admission.Unknown(gateway.State), ApiDialect.OpenAi, context.RequestAborted);
        var models = Admission.Models(caller.Key, gateway.State, context);
        return context.Response.WriteAsJsonAsync(new { @object = "list", data = models.Select(View) }, context.RequestAborted);
    }

    private static Task ShowAsync(HttpContext context, InferenceGateway gateway)
    {
        if (Admission.Authenticate(context.Request, gateway.State, gateway.Now) is not { } caller)
            return ErrorAnswers.WriteAsync(context, Admission.Unknown(gateway.State), ApiDialect.OpenAi, context.RequestAborted);
        var model = (string)context.Request.RouteValues["model"]!;
        return HostRoute.NameOf(context, caller.Key.Project, model) is { } name && gateway.State.FindRoute(name) is { } route && Admission.Allows(caller.Key, name.Model, gateway.State)
            ? context.Response.WriteAsJsonAsync(View(route.Route), context.RequestAborted)
            : ErrorAnswers.WriteAsync(context, CallError.NoModel(model), ApiDialect.OpenAi, context.RequestAborted);
    }

    private static object View(ModelRoute route) => new
    {
        id = route.Name.Model, @object = "model", created = route.Created.ToUnixTimeSeconds(), owned_by = "cairn",
    };
}
