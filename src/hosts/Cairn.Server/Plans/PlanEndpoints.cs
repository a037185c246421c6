using Cairn.Contracts.Api;
using Cairn.Contracts.Problems;
using Cairn.Contracts.Workloads;
using Cairn.Hardware.Facts;
using Cairn.Server.Problems;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Cairn.Server.Plans;

/// <summary>Plans and the price list over REST.</summary>
internal static class PlanEndpoints
{
    private const int MostPerPage = 1000;

    public static void MapPlans(this IEndpointRouteBuilder routes)
    {
        var api = routes.MapGroup("/api/v1").WithTags("plans");
        api.MapPost("/plan", Plan).Produces<PlanView>();
        api.MapGet("/offers", ListOffers);
        api.MapPost("/catalog/import", CatalogEndpoint.ImportAsync).WithTags("catalog");
        api.MapDelete("/catalog/{provider}", CatalogEndpoint.RemoveAsync).WithTags("catalog");
    }

    private static IResult Plan(PlanRequest request, OfferBoard offers)
    {
        if (request.Limit < 0 || request.RejectedLimit < 0)
            return ProblemResponses.Result(400, new Problem(ProblemCodes.InvalidRequest, "limit and rejected_limit are numbers of 0 or more; 0 means all."));
        var name = request.FileName ?? "workload.yaml";
        var parsed = WorkloadParser.Parse(request.Workload, name, new WorkloadParserOptions { KnownAccelerators = Accelerators.KnownNames });
        if (parsed.File is null)
        {
            return ProblemResponses.Result(
                400, new Problem(ProblemCodes.InvalidWorkload, $"{name} is not a workload that can be planned."), [.. parsed.Errors.Select(error => error.ToString())]);
        }

        return Results.Ok(PlanAnswers.Answer(request, parsed.File, request.RunnableOnly ? offers.Runnable() : offers.Current()));
    }

    private static IResult ListOffers(
        OfferBoard board, string? gpu, string? model, string? provider, string? region, string? cert, decimal? max_price, int? limit, string? cursor)
    {
        var filter = new OfferFilter
        {
            Gpu = gpu, Model = model, Provider = provider, Region = region, MaxPriceUsd = max_price,
            Certifications = cert?.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [],
        };
        if (filter.Problem() is { } problem)
            return ProblemResponses.Result(400, new Problem(ProblemCodes.InvalidRequest, problem));
        if (limit is < 1 or > MostPerPage)
            return ProblemResponses.Result(400, new Problem(ProblemCodes.InvalidRequest, $"limit is {limit}; expected 1 to {MostPerPage}."));
        var size = limit ?? 100;

        // The cursor is the last offer of the page before: prices may change between pages, ids do not.
        var all = filter.Apply(board.Current().Offers).ToList();
        var start = cursor is null ? 0 : all.FindIndex(offer => offer.Id == cursor) + 1;
        var page = all.Skip(start).Take(size).ToList();
        return Results.Ok(new Page<OfferView>([.. page.Select(OfferView.From)], start + page.Count < all.Count ? page[^1].Id : null));
    }
}
