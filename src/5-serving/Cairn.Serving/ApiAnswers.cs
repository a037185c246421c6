using Cairn.Contracts.Api;
using Cairn.Contracts.Problems;
using Microsoft.AspNetCore.Http;

namespace Cairn.Serving;

/// <summary>Answers of the REST API as all of it gives them: snake_case JSON, and problem details (RFC 9457) with a stable code.</summary>
internal static class ApiAnswers
{
    public static IResult Json<T>(T value, int status = StatusCodes.Status200OK) => TypedResults.Json(value, ApiJson.Compact, statusCode: status);

    public static IResult Refused(Problem problem, IReadOnlyList<string>? errors = null)
    {
        var extensions = new Dictionary<string, object?> { ["code"] = problem.Code };
        if (errors is { Count: > 0 })
            extensions["errors"] = errors;
        var status = problem.Code switch
        {
            ProblemCodes.NotFound => StatusCodes.Status404NotFound,
            ProblemCodes.NameTaken or ProblemCodes.Conflict => StatusCodes.Status409Conflict,
            _ => StatusCodes.Status400BadRequest,
        };
        return TypedResults.Problem(problem.Message, statusCode: status, title: problem.Code.Replace('_', ' '), extensions: extensions);
    }
}
