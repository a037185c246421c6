using Cairn.Contracts.Api;
using Cairn.Fleet.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;

namespace Cairn.Fleet.Logs;

/// <summary>A job's logs over HTTP, as server-sent events where those are accepted and else as plain text.</summary>
internal static class LogEndpoints
{
    public static void Map(IEndpointRouteBuilder api) => api.MapGet("/jobs/{job}/logs", ReadAsync).WithTags("Jobs").WithName("ReadJobLogs")
        .Produces<LogLineView>(StatusCodes.Status200OK, "text/event-stream").Produces<string>(StatusCodes.Status200OK, "text/plain");

    private static async Task<IResult> ReadAsync(
        string job, [AsParameters] LogRequest request, HttpContext context, IJobLogs jobs, LogDelivery delivery, TimeProvider time)
    {
        var cancellationToken = context.RequestAborted;
        var (query, fault) = LogQuery.Parse(request, context.Request.Headers["Last-Event-ID"], time.GetUtcNow());
        if (query is null)
            return Answers.Invalid(fault!);
        if (await jobs.FindAsync(job, context, cancellationToken) is not { } found)
            return Answers.NotFound($"there is no job '{job}' here; 'cairn jobs' lists them");
        try
        {
            await delivery.DeliverAsync(found, query, Begin(context, found, query), cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The reader left.
        }
        return Results.Empty;
    }

    private static ILogSink Begin(HttpContext context, JobLogs job, LogQuery query)
    {
        var response = context.Response;
        response.Headers.CacheControl = "no-store";
        // Lines must leave at once: no buffering here, nor in a proxy in front.
        response.Headers["X-Accel-Buffering"] = "no";
        context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        if (context.Request.Headers.Accept.ToString().Contains("text/event-stream", StringComparison.OrdinalIgnoreCase))
        {
            response.ContentType = "text/event-stream";
            return new EventLogSink(response.BodyWriter);
        }
        response.ContentType = "text/plain; charset=utf-8";
        var ranks = job.Parts.Where(part => query.Wants(new LogPart(part.Attempt, part.Rank))).Select(part => part.Rank).Distinct().Count();
        return new TextLogSink(response.BodyWriter, ranks > 1);
    }
}
