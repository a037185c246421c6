namespace Cairn.Contracts.Problems;

/// <summary>
/// Stable codes of the API's problem details (RFC 9457). A client may branch on a code; titles and details are for people and may change.
/// </summary>
public static class ProblemCodes
{
    public const string InvalidRequest = "invalid_request";
    public const string InvalidWorkload = "invalid_workload";
    public const string InvalidCatalog = "invalid_catalog";
    public const string Unauthenticated = "unauthenticated";
    public const string Forbidden = "forbidden";
    public const string NotFound = "not_found";
    public const string Conflict = "conflict";
    public const string NameTaken = "name_taken";
    public const string IdempotencyMismatch = "idempotency_mismatch";
    public const string NoPlace = "no_place";
    public const string InsufficientFunds = "insufficient_funds";
    public const string BudgetExceeded = "budget_exceeded";
    public const string TooLarge = "too_large";
    public const string TooManyRequests = "too_many_requests";
    public const string Unavailable = "unavailable";
    public const string Internal = "internal";
}

/// <summary>A refusal in words and a code: an expected outcome, returned and not thrown.</summary>
/// <param name="Code">One of <see cref="ProblemCodes"/>.</param>
/// <param name="Message">Names the thing, the value, what was expected and what to do.</param>
public sealed record Problem(string Code, string Message);
