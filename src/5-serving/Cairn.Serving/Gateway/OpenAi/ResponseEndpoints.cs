using System.Text.Json.Nodes;
using Cairn.Contracts.Ids;
using Cairn.Serving.Gateway.Calls;
using Cairn.Serving.Gateway.Dialects;
using Cairn.Serving.Gateway.Responses;
using Cairn.Serving.Gateway.Snapshots;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Cairn.Serving.Gateway.OpenAi;

/// <summary>OpenAI's responses: making them, and coming back to those that were kept.</summary>
internal static class ResponseEndpoints
{
    private const int MostListed = 100;

    public static void Map(IEndpointRouteBuilder routes, InferenceGateway gateway)
    {
        routes.MapPost("/v1/responses", context => gateway.HandleAsync(context, CallKind.Response));
        routes.MapGet("/v1/responses/{id}", context => AnswerAsync(context, gateway, ShowAsync));
        routes.MapDelete("/v1/responses/{id}", context => AnswerAsync(context, gateway, ForgetAsync));
        routes.MapPost("/v1/responses/{id}/cancel", context => AnswerAsync(context, gateway, CancelAsync));
        routes.MapGet("/v1/responses/{id}/input_items", context => AnswerAsync(context, gateway, ListAsync));
    }

    private static async Task AnswerAsync(HttpContext context, InferenceGateway gateway,
        Func<HttpContext, ResponseMemory, ProjectId, string, Task<(JsonObject?, CallError?)>> handle)
    {
        JsonObject? answer = null;
        CallError? error;
        try
        {
            (answer, error) = Admission.Authenticate(context.Request, gateway.State, gateway.Now) is { } caller
                ? await handle(context, gateway.Memory, caller.Key.Project, (string)context.Request.RouteValues["id"]!) : (null, Admission.Unknown(gateway.State));
        }
        catch (KeeperAwayException)
        {
            error = CallError.Away;
        }
        if (error is not null)
        {
            await ErrorAnswers.WriteAsync(context, error, ApiDialect.OpenAi, context.RequestAborted);
            return;
        }
        context.Response.ContentType = "application/json";
        await context.Response.Body.WriteAsync(Fields.Bytes(answer!), context.RequestAborted);
    }

    private static CallError Missing(string id) => new(404, "invalid_request_error", null, $"Response with id '{id}' not found.", "response_id");

    private static async Task<(JsonObject?, CallError?)> ShowAsync(HttpContext context, ResponseMemory memory, ProjectId project, string id)
    {
        if (context.Request.Query["stream"] == "true")
            return (null, CallError.Invalid("Only background responses can be streamed again, and there are none here.", "stream"));
        return await memory.FindAsync(project, id, context.RequestAborted) is { } kept ? ((JsonObject)JsonNode.Parse(kept.Response)!, null) : (null, Missing(id));
    }

    private static async Task<(JsonObject?, CallError?)> ForgetAsync(HttpContext context, ResponseMemory memory, ProjectId project, string id) =>
        await memory.ForgetAsync(project, id, context.RequestAborted)
            ? (new JsonObject { ["id"] = id, ["object"] = "response", ["deleted"] = true }, null) : (null, Missing(id));

    private static async Task<(JsonObject?, CallError?)> CancelAsync(HttpContext context, ResponseMemory memory, ProjectId project, string id) =>
        (null, await memory.FindAsync(project, id, context.RequestAborted) is null ? Missing(id)
            : CallError.Invalid("Cannot cancel a synchronous response. Closing its connection ends one that is under way."));

    private static async Task<(JsonObject?, CallError?)> ListAsync(HttpContext context, ResponseMemory memory, ProjectId project, string id)
    {
        var query = context.Request.Query;
        var limit = 20;
        if (query["limit"] is [{ } asked] && (!int.TryParse(asked, out limit) || limit is < 1 or > MostListed))
            return (null, CallError.Invalid($"Invalid 'limit': expected an integer from 1 to {MostListed}, got '{asked}'.", "limit"));
        if (await memory.FindAsync(project, id, context.RequestAborted) is not { } kept)
            return (null, Missing(id));
        var all = JsonNode.Parse(kept.Items)!.AsArray().Select(i => i!);
        var ordered = (query["order"] == "asc" ? all : all.Reverse()).ToList();
        if (query["after"] is [{ } after])
            ordered = [.. ordered.SkipWhile(i => (string?)i["id"] != after).Skip(1)];
        var page = ordered.Take(limit).Select(i => i.DeepClone()).ToList();
        return (new JsonObject
        {
            ["object"] = "list", ["data"] = new JsonArray([.. page]), ["first_id"] = page.FirstOrDefault()?["id"]?.DeepClone(), ["last_id"] = page.LastOrDefault()?["id"]?.DeepClone(),
            ["has_more"] = ordered.Count > page.Count,
        }, null);
    }
}
