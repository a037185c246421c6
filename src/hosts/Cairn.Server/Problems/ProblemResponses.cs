using System.Text.Json;
using Cairn.Contracts.Api;
using Cairn.Contracts.Problems;
using Microsoft.AspNetCore.Http;

namespace Cairn.Server.Problems;

/// <summary>Problem details (RFC 9457) with Cairn's stable <c>code</c>.</summary>
internal static class ProblemResponses
{
    public static Task WriteAsync(HttpContext context, int status, Problem problem)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/problem+json";
        var body = new
        {
            type = "about:blank",
            title = problem.Code.Replace('_', ' '),
            status,
            detail = problem.Message,
            code = problem.Code,
            trace_id = context.TraceIdentifier,
        };
        return JsonSerializer.SerializeAsync(context.Response.Body, body, ApiJson.Compact, context.RequestAborted);
    }

    public static IResult Result(int status, Problem problem, IReadOnlyList<string>? errors = null)
    {
        var extensions = new Dictionary<string, object?> { ["code"] = problem.Code };
        if (errors is { Count: > 0 })
            extensions["errors"] = errors;
        return Results.Problem(problem.Message, statusCode: status, title: problem.Code.Replace('_', ' '), extensions: extensions);
    }
}
