using Cairn.Contracts.Identity;
using Cairn.Contracts.Problems;
using Cairn.Server.Problems;
using Microsoft.AspNetCore.Http;

namespace Cairn.Server.Identity;

/// <summary>
/// Lets a request to the API in: (1) the key names the caller, (2) the role allows the request, (3) the project is the key's own, or any
/// for an admin. The caller then travels among the request's features.
/// </summary>
internal sealed class Authentication(RequestDelegate next, Keyring keyring)
{
    public async Task InvokeAsync(HttpContext context)
    {
        if (!context.Request.Path.StartsWithSegments("/api"))
        {
            await next(context);
            return;
        }

        // (1)
        var header = context.Request.Headers.Authorization.ToString();
        var text = header.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) ? header[7..].Trim() : null;
        if (keyring.Verify(text) is not { } key)
        {
            context.Response.Headers.WWWAuthenticate = "Bearer";
            await RefuseAsync(context, StatusCodes.Status401Unauthorized, ProblemCodes.Unauthenticated, text is null
                ? "This API needs a key. Send it as 'Authorization: Bearer ck_…'; `cairn up` stores the admin's in ~/.cairn."
                : "The key is unknown, expired, blocked or revoked. Ask an admin for a new one (`cairn keys create`).");
            return;
        }

        // (2)
        var needed = AccessRules.Needed(context.Request.Method, context.Request.Path.Value ?? "");
        if (key.Role < needed && !(key.Role == Role.Gateway && AccessRules.IsForGateways(context.Request.Path.Value ?? "")))
        {
            await RefuseAsync(context, StatusCodes.Status403Forbidden, ProblemCodes.Forbidden,
                $"The key '{key.Name}' is a {Lower(key.Role)}; {context.Request.Method} {context.Request.Path} needs a {Lower(needed)}.");
            return;
        }

        // (3)
        var own = keyring.FindProject(key.ProjectId);
        var named = context.Request.Query["project"].ToString();
        var project = named.Length == 0 ? own : keyring.FindProject(named);
        if (project is null || (key.Role != Role.Admin && project.Id != key.ProjectId))
        {
            await RefuseAsync(context, StatusCodes.Status404NotFound, ProblemCodes.NotFound,
                $"There is no project '{named}' that the key '{key.Name}' may use.");
            return;
        }

        context.Features.Set(new Caller(key.Id, key.Name, key.Role, project.Id, project.Name));
        await next(context);
    }

    private static string Lower(Role role) => role.ToString().ToLowerInvariant();

    private static Task RefuseAsync(HttpContext context, int status, string code, string detail) =>
        ProblemResponses.WriteAsync(context, status, new Problem(code, detail));
}
