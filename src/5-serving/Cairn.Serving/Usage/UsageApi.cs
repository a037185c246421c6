using System.Globalization;
using Cairn.Contracts.Api;
using Cairn.Contracts.Identity;
using Cairn.Contracts.Problems;
using Cairn.Contracts.Units;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Cairn.Serving.Usage;

/// <summary>Usage over HTTP.</summary>
internal static class UsageApi
{
    public static void Map(IEndpointRouteBuilder api) => api.MapGet("/usage", ReadAsync).WithTags("Usage").WithName("GetUsage").Produces<UsageView>();

    private static async Task<IResult> ReadAsync(
        HttpContext context, UsageReading reading, TimeProvider time, string? by, string? key, string? model, string? since, CancellationToken cancellationToken)
    {
        var caller = context.Features.Get<Caller>() ?? throw new InvalidOperationException("The host let a request in without a caller.");
        var errors = new List<string>();
        if (!Enum.TryParse<UsageGrouping>(by ?? "model", ignoreCase: true, out var grouping) || int.TryParse(by, CultureInfo.InvariantCulture, out _))
            errors.Add($"by is '{by}'; expected key, model, endpoint or day.");
        var now = time.GetUtcNow();
        if (ReadSince(since, now) is not { } begin)
        {
            errors.Add($"since is '{since}'; expected a day as YYYY-MM-DD or a duration such as 24h.");
            begin = now;
        }
        if (errors.Count > 0)
            return ApiAnswers.Refused(new Problem(ProblemCodes.InvalidRequest, errors[0]), errors);
        var keys = key is null ? null : reading.FindKeys(caller.Project, key);
        if (keys is { Count: 0 })
            return ApiAnswers.Refused(new Problem(ProblemCodes.NotFound, $"There is no key '{key}' in project '{caller.ProjectName}' that may call models."));
        return ApiAnswers.Json(await reading.ReadAsync(new UsageQuery(caller.Project, begin, grouping, keys, model), cancellationToken));
    }

    /// <summary>The first of the month where nothing is said.</summary>
    private static DateTimeOffset? ReadSince(string? text, DateTimeOffset now)
    {
        if (string.IsNullOrEmpty(text))
            return new DateTimeOffset(now.Year, now.Month, 1, 0, 0, 0, TimeSpan.Zero);
        if (DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day) && day.Year >= 1970)
            return new DateTimeOffset(day, TimeOnly.MinValue, TimeSpan.Zero);
        return Duration.TryParseSeconds(text, out var seconds) && seconds > 0 ? now.AddSeconds(-seconds) : null;
    }
}
