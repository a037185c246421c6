using Cairn.Contracts.Api;
using Cairn.Contracts.Jobs;
using Cairn.Contracts.Problems;
using Cairn.Fleet.Link;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Cairn.Fleet.Nodes;

/// <summary>Nodes over HTTP: list, look at, take out of service.</summary>
internal static class NodeEndpoints
{
    internal const int DefaultLimit = 100;
    internal const int MaxLimit = 1_000;

    public static void Map(IEndpointRouteBuilder api)
    {
        var nodes = api.MapGroup("/nodes").WithTags("Nodes");
        nodes.MapGet("/", List).WithName("ListNodes").Produces<Page<NodeView>>();
        nodes.MapGet("/{node}", GetAsync).WithName("GetNode").Produces<NodeView>();
        nodes.MapPost("/{node}/cordon",
            (string node, FleetNodes all, Enrolment enrolment, NodeViews views, CancellationToken cancellationToken) =>
            SetPhaseAsync(node, NodePhase.Cordoned, all, enrolment, views, cancellationToken)).WithName("CordonNode").Produces<NodeView>();
        nodes.MapPost("/{node}/uncordon",
            (string node, FleetNodes all, Enrolment enrolment, NodeViews views, CancellationToken cancellationToken) =>
            SetPhaseAsync(node, NodePhase.Active, all, enrolment, views, cancellationToken)).WithName("UncordonNode").Produces<NodeView>();
        nodes.MapPost("/{node}/drain",
            (string node, FleetNodes all, Enrolment enrolment, NodeViews views, CancellationToken cancellationToken) =>
            SetPhaseAsync(node, NodePhase.Draining, all, enrolment, views, cancellationToken)).WithName("DrainNode").Produces<NodeView>();
        nodes.MapDelete("/{node}", RemoveAsync).WithName("RemoveNode").Produces(StatusCodes.Status204NoContent);
    }

    private static IResult List(
        NodeViews views, string? pool, string? health, string? phase, string? provider, string? region, string? cursor, int? limit)
    {
        if (!TryWord<NodeHealth>(health, out var wantedHealth, out var words))
            return Answers.Invalid($"health is '{health}', expected one of {words}");
        if (!TryWord<NodePhase>(phase, out var wantedPhase, out words))
            return Answers.Invalid($"phase is '{phase}', expected one of {words}");
        if (limit is < 1 or > MaxLimit)
            return Answers.Invalid($"limit is {limit}, expected 1 to {MaxLimit}");
        var page = views.List(new NodeFilter(pool, wantedHealth, wantedPhase, provider, region), cursor, limit ?? DefaultLimit);
        return Results.Json(page, ApiJson.Compact);
    }

    private static async Task<IResult> GetAsync(string node, FleetNodes all, NodeViews views, CancellationToken cancellationToken) =>
        all.TryFind(node, out var found)
            ? Results.Json(await views.DetailAsync(found, cancellationToken), ApiJson.Compact)
            : NoNode(node);

    private static async Task<IResult> SetPhaseAsync(
        string node, NodePhase phase, FleetNodes all, Enrolment enrolment, NodeViews views, CancellationToken cancellationToken)
    {
        if (!all.TryFind(node, out var found) || !await enrolment.SetPhaseAsync(found, phase, cancellationToken))
            return NoNode(node);
        return Results.Json(await views.DetailAsync(found, cancellationToken), ApiJson.Compact);
    }

    private static async Task<IResult> RemoveAsync(
        string node, FleetNodes all, Enrolment enrolment, INodeWork work, CancellationToken cancellationToken, bool force = false)
    {
        if (!all.TryFind(node, out var found))
            return NoNode(node);
        var tasks = await work.TasksOnAsync(found.Id, cancellationToken);
        if (tasks.Count > 0 && !force)
        {
            return Answers.Of(new Problem(ProblemCodes.Conflict,
                $"node {found.Name} runs {tasks.Count} tasks, of job {tasks[0].JobName} first; " +
                "drain it and wait, or remove it with force, which ends them as lost"));
        }
        return await enrolment.RemoveAsync(found, cancellationToken) ? Results.NoContent() : NoNode(node);
    }

    /// <summary>Reads an optional word of an enum, written as the API writes it.</summary>
    private static bool TryWord<T>(string? text, out T? value, out string words) where T : struct, Enum
    {
        words = string.Join(", ", EnumWords.All<T>());
        value = text is null ? null : EnumWords.Find<T>(text);
        return text is null || value is not null;
    }

    private static IResult NoNode(string node) => Answers.NotFound($"there is no node '{node}'; 'cairn nodes' lists them");
}
