using System.Text.RegularExpressions;
using Cairn.Contracts.Api;
using Cairn.Contracts.Identity;
using Cairn.Contracts.Problems;
using Cairn.Server.Problems;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;

namespace Cairn.Server.Identity;

/// <summary>Projects over REST, and who asks.</summary>
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

        routes.MapKeys();
        routes.MapGet("/api/v1/whoami", (HttpContext context) => context.Features.GetRequiredFeature<Caller>()).WithTags("keys");
    }

    private static async Task<IResult> CreateProjectAsync(CreateProjectRequest request, Keyring keyring, CancellationToken cancellationToken)
    {
        if (!IsName(request.Name))
            return ProblemResponses.Result(400, new Problem(ProblemCodes.InvalidRequest, NameRule("project", request.Name)));
        var (project, created) = await keyring.CreateProjectAsync(request.Name, cancellationToken);
        return created
            ? Results.Created($"/api/v1/projects/{project.Name}", new ProjectView(project.Id, project.Name, project.CreatedAt))
            : ProblemResponses.Result(409, new Problem(ProblemCodes.NameTaken, $"There is a project '{request.Name}' already."));
    }

    public static bool IsName(string? name) => name is not null && NamePattern().IsMatch(name);

    public static string NameRule(string what, string name) =>
        $"'{name}' is not a {what}'s name; expected 1 to 63 lower-case letters, digits and hyphens, beginning with a letter or digit.";

    [GeneratedRegex("^[a-z0-9][a-z0-9-]{0,62}$")]
    private static partial Regex NamePattern();
}
