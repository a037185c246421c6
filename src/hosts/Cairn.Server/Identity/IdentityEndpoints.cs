using System.Text.RegularExpressions;
using Cairn.Contracts.Api;
using Cairn.Contracts.Ids;
using Cairn.Contracts.Identity;
using Cairn.Contracts.Problems;
using Cairn.Server.Problems;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;

namespace Cairn.Server.Identity;

/// <summary>Projects and keys over REST.</summary>
internal static partial class IdentityEndpoints
{
    public static void MapIdentity(this IEndpointRouteBuilder routes)
    {
        var projects = routes.MapGroup("/api/v1/projects").WithTags("projects");
        projects.MapGet("/", (Keyring keyring, HttpContext context) =>
        {
            var caller = context.Features.GetRequiredFeature<Caller>();
            return new Page<ProjectView>([.. keyring.Projects.Where(p => caller.MayUse(p.Id)).Select(p => new ProjectView(p.Id, p.Name, p.CreatedAt))], null);
        });
        projects.MapPost("/", CreateProjectAsync);

        var keys = routes.MapGroup("/api/v1/keys").WithTags("keys");
        keys.MapGet("/", (Keyring keyring) => new Page<KeyView>([.. keyring.Keys.Select(key => View(keyring, key, null))], null));
        keys.MapPost("/", CreateKeyAsync);
        keys.MapDelete("/{id:guid}", async (Guid id, Keyring keyring, CancellationToken cancellationToken) =>
            await keyring.RevokeAsync(new KeyId(id), cancellationToken)
                ? Results.NoContent()
                : ProblemResponses.Result(404, new Problem(ProblemCodes.NotFound, $"There is no key {id}.")));

        routes.MapGet("/api/v1/whoami", (HttpContext context) => context.Features.GetRequiredFeature<Caller>()).WithTags("keys");
    }

    private static async Task<IResult> CreateProjectAsync(CreateProjectRequest request, Keyring keyring, CancellationToken cancellationToken)
    {
        if (!NamePattern().IsMatch(request.Name))
            return ProblemResponses.Result(400, new Problem(ProblemCodes.InvalidRequest, NameRule("project", request.Name)));
        var (project, created) = await keyring.CreateProjectAsync(request.Name, cancellationToken);
        return created
            ? Results.Created($"/api/v1/projects/{project.Name}", new ProjectView(project.Id, project.Name, project.CreatedAt))
            : ProblemResponses.Result(409, new Problem(ProblemCodes.NameTaken, $"There is a project '{request.Name}' already."));
    }

    private static async Task<IResult> CreateKeyAsync(CreateKeyRequest request, HttpContext context, Keyring keyring, TimeProvider time, CancellationToken cancellationToken)
    {
        if (!NamePattern().IsMatch(request.Name))
            return ProblemResponses.Result(400, new Problem(ProblemCodes.InvalidRequest, NameRule("key", request.Name)));
        if (keyring.FindProject(request.Project) is not { } project)
            return ProblemResponses.Result(404, new Problem(ProblemCodes.NotFound, $"There is no project '{request.Project}'; make it with `cairn projects create`."));
        DateTimeOffset? expires = request.ValidSeconds is { } seconds ? time.GetUtcNow().AddSeconds(seconds) : null;
        var (row, text) = await keyring.CreateKeyAsync(request.Name, request.Role, project.Id, expires, cancellationToken);
        context.Response.Headers.CacheControl = "no-store";
        return Results.Created($"/api/v1/keys/{row.Id}", View(keyring, row, text));
    }

    private static KeyView View(Keyring keyring, KeyRow key, string? text) =>
        new(key.Id, key.Name, key.Role, keyring.FindProject(key.ProjectId)?.Name ?? "", key.CreatedAt, key.ExpiresAt, key.Revoked, text);

    private static string NameRule(string what, string name) =>
        $"'{name}' is not a {what}'s name; expected 1 to 63 lower-case letters, digits and hyphens, beginning with a letter or digit.";

    [GeneratedRegex("^[a-z0-9][a-z0-9-]{0,62}$")]
    private static partial Regex NamePattern();
}
