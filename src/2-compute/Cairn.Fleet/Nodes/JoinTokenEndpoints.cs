using Cairn.Contracts.Api;
using Cairn.Contracts.Ids;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Cairn.Fleet.Nodes;

/// <summary>Join tokens over HTTP. A token's text is in the answer that makes it and nowhere else.</summary>
internal static class JoinTokenEndpoints
{
    public static void Map(IEndpointRouteBuilder api)
    {
        var tokens = api.MapGroup("/join-tokens").WithTags("Join tokens");
        tokens.MapPost("/", CreateAsync).WithName("CreateJoinToken").Produces<JoinTokenView>(StatusCodes.Status201Created);
        tokens.MapGet("/", ListAsync).WithName("ListJoinTokens").Produces<Page<JoinTokenView>>();
        tokens.MapDelete("/{id}", RevokeAsync).WithName("RevokeJoinToken").Produces(StatusCodes.Status204NoContent);
    }

    private static async Task<IResult> CreateAsync(
        CreateJoinTokenRequest request, JoinTokens tokens, HttpContext context, CancellationToken cancellationToken)
    {
        var (token, problem) = await tokens.CreateAsync(request, cancellationToken);
        if (problem is not null)
            return Answers.Of(problem);
        context.Response.Headers.CacheControl = "no-store";
        return Results.Json(token, ApiJson.Compact, statusCode: StatusCodes.Status201Created);
    }

    private static async Task<IResult> ListAsync(JoinTokens tokens, string? cursor, int? limit, CancellationToken cancellationToken)
    {
        if (limit is < 1 or > NodeEndpoints.MaxLimit)
            return Answers.Invalid($"limit is {limit}, expected 1 to {NodeEndpoints.MaxLimit}");
        return Results.Json(await tokens.ListAsync(cursor, limit ?? NodeEndpoints.DefaultLimit, cancellationToken), ApiJson.Compact);
    }

    private static async Task<IResult> RevokeAsync(string id, JoinTokens tokens, CancellationToken cancellationToken) =>
        TypedId.TryParse<JoinTokenId>(id, out var token) && await tokens.RevokeAsync(token, cancellationToken)
            ? Results.NoContent()
            : Answers.NotFound($"there is no join token '{id}'; 'cairn node tokens' lists them");
}
