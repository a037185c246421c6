using Cairn.Contracts.Api;
using Cairn.Contracts.Identity;
using Cairn.Contracts.Problems;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Cairn.Serving.Endpoints;

/// <summary>Endpoints over HTTP: create, list, look at, scale, roll out, go back, stop.</summary>
internal static class EndpointApi
{
    public static void Map(IEndpointRouteBuilder api)
    {
        var endpoints = api.MapGroup("/endpoints").WithTags("Endpoints");
        endpoints.MapPost("", async (ServeRequest request, HttpContext context, EndpointIntake intake, EndpointReading reading) =>
            Reply(await intake.CreateAsync(request, CallerOf(context), context.RequestAborted), reading, StatusCodes.Status201Created))
            .WithName("CreateEndpoint")
            .Produces<EndpointView>(StatusCodes.Status201Created).ProducesProblem(StatusCodes.Status400BadRequest);
        endpoints.MapGet("", async (HttpContext context, EndpointReading reading) =>
            ApiAnswers.Json(new Page<EndpointView>(await reading.ListAsync(CallerOf(context), context.RequestAborted), null)))
            .WithName("ListEndpoints").Produces<Page<EndpointView>>();
        endpoints.MapGet("/{endpoint}", async (string endpoint, HttpContext context, EndpointReading reading) =>
            await reading.FindAsync(endpoint, CallerOf(context), context.RequestAborted) is { } found
                ? ApiAnswers.Json(found)
                : Problem(Missing(endpoint)))
            .WithName("GetEndpoint").Produces<EndpointView>().ProducesProblem(StatusCodes.Status404NotFound);
        endpoints.MapPost("/{endpoint}/scale", async (
            string endpoint, ScalingRequest request, HttpContext context, EndpointIntake intake, EndpointReading reading) =>
            Reply(await intake.ScaleAsync(endpoint, request, CallerOf(context), context.RequestAborted), reading))
            .WithName("ScaleEndpoint").Produces<EndpointView>();
        endpoints.MapPost("/{endpoint}/hosts", async (
            string endpoint, HostsRequest request, HttpContext context, EndpointIntake intake, EndpointReading reading) =>
            Reply(await intake.HostsAsync(endpoint, request, CallerOf(context), context.RequestAborted), reading))
            .WithName("ChangeHosts").Produces<EndpointView>().ProducesProblem(StatusCodes.Status409Conflict);
        endpoints.MapPost("/{endpoint}/rollout", async (
            string endpoint, ServeRequest request, HttpContext context, EndpointIntake intake, EndpointReading reading) =>
            Reply(await intake.RollOutAsync(endpoint, request, CallerOf(context), context.RequestAborted), reading))
            .WithName("RollOutEndpoint").Produces<EndpointView>();
        endpoints.MapPost("/{endpoint}/canary", async (
            string endpoint, CanaryRequest request, HttpContext context, EndpointIntake intake, EndpointReading reading) =>
            Reply(await intake.CanaryAsync(endpoint, request.Percent, CallerOf(context), context.RequestAborted), reading))
            .WithName("ChangeCanary").Produces<EndpointView>();
        endpoints.MapPost("/{endpoint}/undo", async (
            string endpoint, HttpContext context, EndpointIntake intake, EndpointReading reading) =>
            Reply(await intake.UndoAsync(endpoint, CallerOf(context), context.RequestAborted), reading))
            .WithName("UndoRollout").Produces<EndpointView>();
        endpoints.MapPost("/{endpoint}/stop", async (
            string endpoint, HttpContext context, EndpointIntake intake, EndpointReading reading) =>
            Reply(await intake.StopAsync(endpoint, CallerOf(context), context.RequestAborted), reading, StatusCodes.Status202Accepted))
            .WithName("StopEndpoint").Produces<EndpointView>(StatusCodes.Status202Accepted);
    }

    private static Caller CallerOf(HttpContext context) =>
        context.Features.Get<Caller>() ?? throw new InvalidOperationException("The host let a request in without a caller.");

    private static IResult Reply(EndpointOutcome outcome, EndpointReading reading, int status = StatusCodes.Status200OK) =>
        outcome.Endpoint is { } row ? ApiAnswers.Json(reading.View(row, [], outcome.Hosts), status) : Problem(outcome);

    private static EndpointOutcome Missing(string endpoint) =>
        EndpointOutcome.Refused(ProblemCodes.NotFound, $"There is no endpoint '{endpoint}' here; `cairn endpoints` lists them.");

    private static IResult Problem(EndpointOutcome outcome) => ApiAnswers.Refused(outcome.Problem!, outcome.Errors);
}
