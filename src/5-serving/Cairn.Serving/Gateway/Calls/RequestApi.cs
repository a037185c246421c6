using Cairn.Contracts.Api;
using Cairn.Contracts.Identity;
using Cairn.Contracts.Problems;
using Cairn.Serving.Gateways;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Cairn.Serving.Gateway.Calls;

/// <summary>What became of requests, over HTTP.</summary>
internal static class RequestApi
{
    public static void Map(IEndpointRouteBuilder api) => api.MapGet("/requests/{id}", async (
        string id, HttpContext context, InferenceGateway gateway, ExplanationsElsewhere elsewhere) =>
    {
        var caller = context.Features.Get<Caller>() ?? throw new InvalidOperationException("The host let a request in without a caller.");
        var (project, request) = gateway.Decisions.Find(id) is { } own ? (own.Project, CallExplanation.Of(own)) : await elsewhere.AskAsync(id, context.RequestAborted);
        return request is not null && project == caller.Project
            ? ApiAnswers.Json(request)
            : ApiAnswers.Refused(new Problem(ProblemCodes.NotFound,
                $"No request '{(id.Length > 64 ? id[..64] + "…" : id)}' is remembered in project '{caller.ProjectName}'. Its id is in the answer's header x-request-id; "
                + "the last 10,000 are remembered until the server ends, or the gateway that took it, which must be connected."));
    }).WithTags("Requests").WithName("ExplainRequest").Produces<RequestView>();
}
