using Cairn.Contracts.Problems;
using Microsoft.AspNetCore.Http;

namespace Cairn.Fleet.Nodes;

/// <summary>Problem details (RFC 9457) with Cairn's stable <c>code</c>.</summary>
internal static class Answers
{
    public static IResult Of(Problem problem) => Results.Problem(
        problem.Message, statusCode: StatusOf(problem.Code), title: problem.Code.Replace('_', ' '),
        extensions: new Dictionary<string, object?> { ["code"] = problem.Code });

    public static IResult NotFound(string message) => Of(new Problem(ProblemCodes.NotFound, message));

    public static IResult Invalid(string message) => Of(new Problem(ProblemCodes.InvalidRequest, message));

    private static int StatusOf(string code) => code switch
    {
        ProblemCodes.NotFound => StatusCodes.Status404NotFound,
        ProblemCodes.Conflict => StatusCodes.Status409Conflict,
        ProblemCodes.Forbidden => StatusCodes.Status403Forbidden,
        ProblemCodes.Unauthenticated => StatusCodes.Status401Unauthorized,
        ProblemCodes.TooLarge => StatusCodes.Status413PayloadTooLarge,
        ProblemCodes.Unavailable => StatusCodes.Status503ServiceUnavailable,
        _ => StatusCodes.Status400BadRequest,
    };
}
