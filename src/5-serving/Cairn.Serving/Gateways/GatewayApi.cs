using System.Text.Json;
using Cairn.Contracts.Api;
using Cairn.Contracts.Identity;
using Cairn.Contracts.Ids;
using Cairn.Contracts.Problems;
using Cairn.Serving.Gateway.Calls;
using Cairn.Serving.Gateway.Responses;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Cairn.Serving.Gateways;

/// <summary>What gateways that run alone ask of a server, below <c>/gateway</c>, and what admins ask of them, below <c>/gateways</c>.</summary>
internal static class GatewayApi
{
    public static void Map(IEndpointRouteBuilder api)
    {
        var own = api.MapGroup("/gateway").ExcludeFromDescription();
        own.MapGet("/feed", FeedAsync);
        own.MapPost("/reports", ReportAsync);
        own.MapGet("/tunnels/{task:guid}/{port:int}", (Guid task, int port, HttpContext context, ITunnels tunnels) =>
            GatewayTunnel.ServeAsync(context, new TaskId(task), port, tunnels));
        own.MapGet("/responses/{project:guid}/{id}", async (Guid project, string id, IKeepsResponses responses, CancellationToken cancellationToken) =>
            await responses.FindAsync(new ProjectId(project), id, cancellationToken) is { } kept ? ApiAnswers.Json(kept) : Results.NotFound());
        own.MapDelete("/responses/{project:guid}/{id}", async (Guid project, string id, IKeepsResponses responses, CancellationToken cancellationToken) =>
            await responses.ForgetAsync(new ProjectId(project), id, cancellationToken) ? Results.NoContent() : Results.NotFound());
        own.MapPost("/responses", KeepAsync);
        own.MapPost("/explanations", ExplainAsync);

        var all = api.MapGroup("/gateways").WithTags("Gateways");
        all.MapGet("", (GatewayBoard board) => ApiAnswers.Json(new Page<GatewayView>([.. board.All.Select(row => View(row, board))], null)))
            .WithName("ListGateways").Produces<Page<GatewayView>>();
        all.MapDelete("/{id:guid}", async (Guid id, GatewayReports reports, CancellationToken cancellationToken) =>
            await reports.ForgetAsync(id, cancellationToken)
                ? Results.NoContent()
                : ApiAnswers.Refused(new Problem(ProblemCodes.NotFound, $"There is no gateway {id}; `cairn gateways` lists them."))).WithName("ForgetGateway");
    }

    private static GatewayView View(GatewayRow row, GatewayBoard board) => new()
    {
        Id = row.Id, Name = row.Name, Key = row.KeyId, JoinedAt = row.JoinedAt, SeenAt = row.SeenAt, Connected = board.IsConnected(row.Id), Departed = row.Departed,
    };

    private static async Task FeedAsync(HttpContext context, Guid gateway, string name, GatewayReports reports, GatewayFeed feed)
    {
        var key = CallerOf(context).Key;
        if (ReportChecks.ProblemOfName(name) is { } wrong)
        {
            await ApiAnswers.Refused(new Problem(ProblemCodes.InvalidRequest, wrong)).ExecuteAsync(context);
            return;
        }
        // To its gateways a server that does not serve yet is away.
        if (!await reports.BegunAsync(context.RequestAborted))
        {
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            return;
        }
        await reports.JoinAsync(gateway, name, key, context.RequestAborted);
        await feed.TellAsync(context, gateway, key);
    }

    private static async Task<IResult> ReportAsync(HttpContext context, GatewayReports reports)
    {
        var (report, unread) = await ReadAsync<GatewayReport>(context);
        if ((unread ?? ReportChecks.Problem(report!)) is { } problem)
            return ApiAnswers.Refused(new Problem(ProblemCodes.InvalidRequest, problem));
        return await reports.TakeAsync(report!, CallerOf(context).Key, context.RequestAborted) is { } reply
            ? ApiAnswers.Json(reply) : Results.StatusCode(StatusCodes.Status503ServiceUnavailable);
    }

    private static async Task<IResult> KeepAsync(HttpContext context, IKeepsResponses responses)
    {
        var (kept, unread) = await ReadAsync<KeptResponse>(context);
        if ((unread ?? ReportChecks.Problem(kept!)) is { } problem)
            return ApiAnswers.Refused(new Problem(ProblemCodes.InvalidRequest, problem));
        return await responses.KeepAsync(kept!, context.RequestAborted) ? Results.NoContent() : Results.StatusCode(StatusCodes.Status503ServiceUnavailable);
    }

    private static async Task<IResult> ExplainAsync(HttpContext context, ExplanationsElsewhere explanations)
    {
        var (told, unread) = await ReadAsync<ExplanationReport>(context);
        if ((unread ?? ReportChecks.Problem(told!)) is { } problem)
            return ApiAnswers.Refused(new Problem(ProblemCodes.InvalidRequest, problem));
        explanations.Take(told!);
        return Results.NoContent();
    }

    private static async Task<(T? Value, string? Problem)> ReadAsync<T>(HttpContext context) where T : class
    {
        try
        {
            var value = await JsonSerializer.DeserializeAsync<T>(context.Request.Body, ApiJson.Compact, context.RequestAborted);
            return (value, value is null ? "The body is null; expected an object." : null);
        }
        catch (JsonException wrong)
        {
            return (null, $"The body cannot be read: {wrong.Message}");
        }
    }

    private static Caller CallerOf(HttpContext context) =>
        context.Features.Get<Caller>() ?? throw new InvalidOperationException("The host let a request in without a caller.");
}
