using System.Globalization;
using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Cairn.Contracts.Api;
using Cairn.Contracts.Ids;
using Cairn.Contracts.Jobs;
using Cairn.Contracts.Problems;
using Cairn.State;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Cairn.Fleet.Jobs;

/// <summary>POST /jobs/{job}/stop.</summary>
/// <param name="GraceSeconds">Between SIGTERM and SIGKILL, 0 to 86,400; null leaves it to the workload.</param>
internal sealed record StopJobRequest(int? GraceSeconds);

/// <summary>Jobs over HTTP: submit, list, look at, stop, follow and wait for.</summary>
internal static class JobEndpoints
{
    private const int DefaultLimit = 100;
    private const int MostLimit = 1_000;

    public static void Map(IEndpointRouteBuilder api)
    {
        var jobs = api.MapGroup("/jobs").WithTags("Jobs");
        jobs.MapPost("", SubmitAsync).WithName("SubmitJob").Produces<JobView>(StatusCodes.Status201Created)
            .ProducesProblem(StatusCodes.Status400BadRequest);
        jobs.MapGet("", ListAsync).WithName("ListJobs").Produces<Page<JobView>>();
        jobs.MapGet("/{job}", GetAsync).WithName("GetJob").Produces<JobView>().ProducesProblem(StatusCodes.Status404NotFound);
        jobs.MapPost("/{job}/stop", StopAsync).WithName("StopJob").Produces<JobView>(StatusCodes.Status202Accepted);
        jobs.MapGet("/{job}/wait", WaitAsync).WithName("WaitForJob").Produces<JobView>();
        jobs.MapGet("/{job}/events", EventsAsync).WithName("FollowJobEvents")
            .Produces<JobEventView>(StatusCodes.Status200OK, "text/event-stream");
    }

    private static async Task<IResult> SubmitAsync(SubmitJobRequest request, HttpContext context, JobSubmission submission,
        JobFinder finder, Store store)
    {
        var caller = JobFinder.CallerOf(context);
        var key = context.Request.Headers["Idempotency-Key"].ToString();
        var result = await submission.SubmitAsync(request, caller, key.Length == 0 ? null : key, context.RequestAborted);
        switch (result)
        {
            case IntakeResult.Accepted accepted:
                // A pipeline answers with its first step; the others are listed under its name.
                return Reply(JobReading.Of(accepted.Jobs[0]), StatusCodes.Status201Created);
            case IntakeResult.Repeated repeated:
                context.Response.Headers["Idempotent-Replayed"] = "true";
                var view = await store.ReadAsync(session => JobReading.Whole(session, repeated.Job), context.RequestAborted);
                return Reply(view! with { Attempts = null, Timeline = null, Outputs = null, Workload = null },
                    StatusCodes.Status201Created);
            case IntakeResult.Refused refused:
                return JobProblems.Of(refused.Refusal);
            default:
                throw new System.Diagnostics.UnreachableException();
        }
    }

    private static async Task<IResult> ListAsync(
        HttpContext context, Store store, string? phase, string? name, string? since, string? cursor, int? limit)
    {
        if (JobReading.PhasesOf(phase) is not { } phases)
        {
            return JobProblems.Invalid($"phase is '{phase}'; expected live, ended, or one or more of queued, starting, running, "
                + "recovering, stopping, succeeded, failed, stopped.");
        }
        if (limit is < 1 or > MostLimit)
            return JobProblems.Invalid($"limit is {limit}; expected 1 to {MostLimit}.");
        if (cursor is not null && !TypedId.TryParse<JobId>(cursor, out _))
            return JobProblems.Invalid($"cursor is '{cursor}'; expected the next_cursor of a page.");
        var from = DateTimeOffset.UnixEpoch;
        if (since is not null && !DateTimeOffset.TryParse(since, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out from))
            return JobProblems.Invalid($"since is '{since}'; expected a time such as 2026-03-01T12:00:00Z.");
        var filter = new JobFilter(phases, name ?? "", Micros.Of(from), cursor, limit ?? DefaultLimit);
        var project = JobFinder.CallerOf(context).Project;
        return Reply(await store.ReadAsync(session => JobReading.List(session, project, filter), context.RequestAborted));
    }

    private static async Task<IResult> GetAsync(string job, HttpContext context, Store store)
    {
        var caller = JobFinder.CallerOf(context);
        var view = await store.ReadAsync(
            session => JobFinder.FindId(session, job, caller) is { } id ? JobReading.Whole(session, id) : null, context.RequestAborted);
        return view is null ? JobProblems.NotFound(job) : Reply(view);
    }

    private static async Task<IResult> StopAsync(string job, HttpContext context, JobFinder finder, JobStops stops, StopJobRequest? request)
    {
        if (request?.GraceSeconds is < 0 or > 86_400)
            return JobProblems.Invalid($"grace_seconds is {request.GraceSeconds}; expected 0 to 86400.");
        if (await finder.FindIdAsync(job, context, context.RequestAborted) is not { } id)
            return JobProblems.NotFound(job);
        var by = JobFinder.CallerOf(context).KeyName;
        return Reply(await stops.StopAsync(id, by, request?.GraceSeconds, context.RequestAborted), StatusCodes.Status202Accepted);
    }

    /// <summary>Answers when the job is in one of the phases (by default: has ended), or with what it is when the time is up.</summary>
    private static async Task<IResult> WaitAsync(
        string job, HttpContext context, JobFinder finder, JobWaits waits, FleetOptions options, string? phase, double? timeout)
    {
        if (JobReading.PhasesOf(phase ?? "ended") is not { Count: > 0 } phases)
            return JobProblems.Invalid($"phase is '{phase}'; expected live, ended, or one or more phases.");
        if (timeout is < 0 or double.NaN)
            return JobProblems.Invalid($"timeout is {timeout}; expected seconds, 0 to {options.LongestWait.TotalSeconds}.");
        if (await finder.FindIdAsync(job, context, context.RequestAborted) is not { } id)
            return JobProblems.NotFound(job);
        var longest = timeout is { } seconds && seconds < options.LongestWait.TotalSeconds ? TimeSpan.FromSeconds(seconds)
            : options.LongestWait;
        return Reply(await waits.WaitAsync(id, phases, longest, context.RequestAborted));
    }

    private static async Task<IResult> EventsAsync(string job, HttpContext context, JobFinder finder, JobWaits waits)
    {
        var last = context.Request.Headers["Last-Event-ID"].ToString();
        if (last.Length == 0)
            last = context.Request.Query["after"].ToString();
        long after = 0;
        if (last.Length > 0 && (!long.TryParse(last, NumberStyles.None, CultureInfo.InvariantCulture, out after) || after < 0))
            return JobProblems.Invalid($"Last-Event-ID is '{last}'; expected the number of an event.");
        if (await finder.FindIdAsync(job, context, context.RequestAborted) is not { } id)
            return JobProblems.NotFound(job);
        return TypedResults.ServerSentEvents(AsEvents(waits.EventsAsync(id, after, context.RequestAborted), context.RequestAborted));
    }

    private static async IAsyncEnumerable<SseItem<string>> AsEvents(
        IAsyncEnumerable<JobEventView> events, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var entry in events.WithCancellation(cancellationToken))
        {
            yield return new SseItem<string>(JsonSerializer.Serialize(entry, ApiJson.Compact), entry.Kind)
            {
                EventId = entry.Sequence.ToString(CultureInfo.InvariantCulture),
            };
        }
    }

    internal static IResult Reply<T>(T value, int status = StatusCodes.Status200OK) =>
        TypedResults.Json(value, ApiJson.Compact, statusCode: status);
}

/// <summary>Refusals as problem details (RFC 9457) with Cairn's code and every error.</summary>
internal static class JobProblems
{
    public static IResult Of(Refusal refusal)
    {
        var extensions = new Dictionary<string, object?> { ["code"] = refusal.Problem.Code };
        if (refusal.Errors.Count > 0)
            extensions["errors"] = refusal.Errors;
        return TypedResults.Problem(
            refusal.Problem.Message, statusCode: StatusOf(refusal.Problem.Code), title: refusal.Problem.Code.Replace('_', ' '),
                extensions: extensions);
    }

    public static IResult NotFound(string job) =>
        Of(Refusal.Of(ProblemCodes.NotFound, $"There is no job '{job}' here; 'cairn jobs' lists them."));

    public static IResult Invalid(string message) => Of(Refusal.Of(ProblemCodes.InvalidRequest, message));

    private static int StatusOf(string code) => code switch
    {
        ProblemCodes.NotFound => StatusCodes.Status404NotFound,
        ProblemCodes.NameTaken or ProblemCodes.Conflict => StatusCodes.Status409Conflict,
        ProblemCodes.IdempotencyMismatch or ProblemCodes.NoPlace => StatusCodes.Status422UnprocessableEntity,
        ProblemCodes.InsufficientFunds or ProblemCodes.BudgetExceeded => StatusCodes.Status402PaymentRequired,
        ProblemCodes.TooLarge => StatusCodes.Status413PayloadTooLarge,
        ProblemCodes.Unavailable => StatusCodes.Status503ServiceUnavailable,
        _ => StatusCodes.Status400BadRequest,
    };
}
