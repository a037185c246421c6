using Cairn.Contracts.Api;
using Cairn.Contracts.Identity;
using Cairn.Contracts.Problems;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Cairn.Serving.Gateway.Calls;

/// <summary>What became of requests, over HTTP.</summary>
internal static class RequestApi
{
    public static void Map(IEndpointRouteBuilder api) => api.MapGet("/requests/{id}", (string id, HttpContext context, InferenceGateway gateway) =>
    {
        var caller = context.Features.Get<Caller>() ?? throw new InvalidOperationException("The host let a request in without a caller.");
        return gateway.Decisions.Find(id) is { } record && record.Project == caller.Project
            ? ApiAnswers.Json(CallExplanation.Of(record))
            : ApiAnswers.Refused(new Problem(ProblemCodes.NotFound,
                $"No request '{(id.Length > 64 ? id[..64] + "…" : id)}' is remembered in project '{caller.ProjectName}'. Its id is in the answer's header x-request-id; "
                + "the last 10,000 are remembered until the server ends."));
    }).WithTags("Requests").WithName("ExplainRequest").Produces<RequestView>();
}
