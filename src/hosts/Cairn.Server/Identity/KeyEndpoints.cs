using Cairn.Contracts.Api;
using Cairn.Contracts.Ids;
using Cairn.Contracts.Identity;
using Cairn.Contracts.Problems;
using Cairn.Contracts.Units;
using Cairn.Server.Problems;
using Cairn.Serving.Gateway.Limits;
using Cairn.Serving.Gateway.Pools;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;

namespace Cairn.Server.Identity;

/// <summary>Keys over REST: make, list with their use, change, revoke.</summary>
internal static class KeyEndpoints
{
    private const long MostValidSeconds = 100L * 365 * 86_400;

    public static void MapKeys(this IEndpointRouteBuilder routes)
    {
        var keys = routes.MapGroup("/api/v1/keys").WithTags("keys");
        keys.MapGet("/", (Keyring keyring, GatewayState gateway, TimeProvider time) =>
            new Page<KeyView>([.. keyring.Keys.Select(key => View(keyring, key, gateway.UseOf(key.Id, time.GetUtcNow()), null))], null));
        keys.MapPost("/", CreateAsync).Produces<KeyView>(StatusCodes.Status201Created);
        keys.MapPost("/{id:guid}", ChangeAsync).Produces<KeyView>();
        keys.MapDelete("/{id:guid}", async (Guid id, Keyring keyring, CancellationToken cancellationToken) =>
            await keyring.RevokeAsync(new KeyId(id), cancellationToken) ? Results.NoContent() : NoKey(id));
    }

    private static async Task<IResult> CreateAsync(
        CreateKeyRequest request, HttpContext context, Keyring keyring, GatewayState gateway, TimeProvider time, CancellationToken cancellationToken)
    {
        if (keyring.FindProject(request.Project) is not { } project)
            return ProblemResponses.Result(404, new Problem(ProblemCodes.NotFound, $"There is no project '{request.Project}'; make it with `cairn projects create`."));
        var errors = new List<string>();
        if (!IdentityEndpoints.IsName(request.Name))
            errors.Add(IdentityEndpoints.NameRule("key", request.Name));
        if (!Enum.IsDefined(request.Role))
            errors.Add($"role is {request.Role}; expected gateway, inference, viewer, member or admin.");
        if (request.ValidSeconds is < 1 or > MostValidSeconds)
            errors.Add($"valid_seconds is {request.ValidSeconds}; expected 1 to {MostValidSeconds}.");
        var parent = KeyWish.FindParent(request.Parent, project.Id, request.Role, keyring, errors);
        var wish = new KeyRow
        {
            Name = request.Name, Role = request.Role, ProjectId = project.Id, ParentId = parent?.Id,
            ExpiresAt = errors.Count == 0 && request.ValidSeconds is { } seconds ? time.GetUtcNow().AddSeconds(seconds) : null,
        };
        wish = KeyWish.Apply(wish, request.Limits, [], errors);
        if (errors.Count > 0)
            return Refuse(errors);
        var (row, text) = await keyring.CreateKeyAsync(wish, cancellationToken);
        context.Response.Headers.CacheControl = "no-store";
        return Results.Created($"/api/v1/keys/{row.Id}", View(keyring, row, gateway.UseOf(row.Id, time.GetUtcNow()), text));
    }

    private static async Task<IResult> ChangeAsync(
        Guid id, ChangeKeyRequest request, HttpContext context, Keyring keyring, GatewayState gateway, TimeProvider time, CancellationToken cancellationToken)
    {
        var errors = new List<string>();
        if (request.Blocked == true && keyring.Find(new KeyId(id)) is { } target)
        {
            var own = context.Features.GetRequiredFeature<Caller>().Key;
            if (own == target.Id || (keyring.Find(own) is { } caller && keyring.Above(caller).Any(above => above.Id == target.Id)))
                errors.Add($"The key '{target.Name}' is the one that asks, or is above it, and would block it; use another admin's key.");
        }

        var changed = await keyring.ChangeAsync(new KeyId(id), row =>
        {
            var wish = KeyWish.Apply(row, request.Limits, request.Unlimited ?? [], errors) with { Blocked = request.Blocked ?? row.Blocked };
            return errors.Count == 0 ? wish : null;
        }, cancellationToken);
        if (errors.Count > 0)
            return Refuse(errors);
        return changed is null ? NoKey(id) : Results.Ok(View(keyring, changed, gateway.UseOf(changed.Id, time.GetUtcNow()), null));
    }

    private static KeyView View(Keyring keyring, KeyRow key, KeyUse? use, string? text)
    {
        var spent = use?.Spent ?? Money.Zero;
        return new KeyView(key.Id, key.Name, key.Role, keyring.FindProject(key.ProjectId)?.Name ?? "", key.CreatedAt, key.ExpiresAt, key.Revoked, text)
        {
            Parent = key.ParentId,
            Blocked = key.Blocked,
            Limits = ViewOfLimits(key),
            Spent = spent,
            Remaining = key.Budget is { } budget ? Money.Max(Money.Zero, budget - spent - (use?.Reserved ?? Money.Zero)) : null,
            RenewsAt = key.Budget is null ? null : use?.RenewsAt,
        };
    }

    private static KeyLimitsView? ViewOfLimits(KeyRow key) => key.Limits() == KeyLimits.None && key.Models.Value.Count == 0 ? null : new KeyLimitsView
    {
        Models = key.Models.Value.Count > 0 ? key.Models.Value : null,
        RequestsPerMinute = key.RequestsPerMinute,
        TokensPerMinute = key.TokensPerMinute,
        ParallelRequests = key.ParallelRequests,
        Budget = key.Budget,
        BudgetPeriod = key.Budget is null ? null : EnumWords.Of(key.BudgetPeriod),
    };

    private static IResult NoKey(Guid id) => ProblemResponses.Result(404, new Problem(ProblemCodes.NotFound, $"There is no key {id}."));

    private static IResult Refuse(List<string> errors) =>
        ProblemResponses.Result(400, new Problem(ProblemCodes.InvalidRequest, errors[0]), errors.Count > 1 ? errors : null);
}
