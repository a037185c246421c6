using Cairn.Contracts.Api;
using Cairn.Contracts.Identity;
using Cairn.Contracts.Problems;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Cairn.Serving.Providers;

/// <summary>
/// Providers outside over HTTP. The host lets only admins add and remove them: they make the server connect elsewhere and hold its
/// secrets.
/// </summary>
internal static class ProviderApi
{
    public static void Map(IEndpointRouteBuilder api)
    {
        var providers = api.MapGroup("/providers").WithTags("Providers");
        providers.MapGet("", (HttpContext context, ProviderIntake intake) => ApiAnswers.Json(new Page<ProviderView>(intake.List(CallerOf(context)), null)))
            .WithName("ListProviders").Produces<Page<ProviderView>>();
        providers.MapPost("", async (AddProviderRequest request, HttpContext context, ProviderIntake intake) =>
        {
            var (provider, problem, errors) = await intake.AddAsync(request, CallerOf(context), context.RequestAborted);
            return provider is not null ? ApiAnswers.Json(provider, StatusCodes.Status201Created) : ApiAnswers.Refused(problem!, errors);
        }).WithName("AddProvider").Produces<ProviderView>(StatusCodes.Status201Created).ProducesProblem(StatusCodes.Status400BadRequest);
        providers.MapDelete("/{name}", async (string name, HttpContext context, ProviderIntake intake) =>
            await intake.RemoveAsync(name, CallerOf(context), context.RequestAborted)
                ? Results.NoContent()
                : ApiAnswers.Refused(new Problem(ProblemCodes.NotFound, $"There is no provider '{name}' here; `cairn providers` lists them.")))
            .WithName("RemoveProvider");
    }

    private static Caller CallerOf(HttpContext context) =>
        context.Features.Get<Caller>() ?? throw new InvalidOperationException("The host let a request in without a caller.");
}
