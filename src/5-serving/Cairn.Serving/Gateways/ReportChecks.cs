using Cairn.Contracts.Units;
using Cairn.Serving.Gateway.Calls;
using Cairn.Serving.Gateway.Responses;

namespace Cairn.Serving.Gateways;

/// <summary>What a report may be; pure. A gateway's own counts are never wrong in these ways, so one mistake refuses all of it.</summary>
internal static class ReportChecks
{
    public const int MostLines = 5_000;
    private const int MostName = 63;
    private const int MostModel = 1024;
    private const int MostId = 128;
    private const int MostArrived = 1_000_000;

    /// <returns>The first mistake in words; null where there is none.</returns>
    public static string? Problem(GatewayReport report)
    {
        if (ProblemOfName(report.Name) is { } name)
            return name;
        if (report.Gateway == Guid.Empty)
            return "gateway is empty; expected the id that the gateway made at its first start.";
        if ((report.Usage is { } usage ? ProblemOfList("usage.lines", usage.Lines) : null) is { } lines)
            return lines;
        var lists = ProblemOfList("asks", report.Asks) ?? ProblemOfList("returns", report.Returns) ?? ProblemOfList("loads", report.Loads)
            ?? ProblemOfList("replicas", report.Replicas) ?? report.Loads.Select(ProblemOfLists).FirstOrDefault(problem => problem is not null);
        if (lists is not null)
            return lists;
        foreach (var line in report.Usage?.Lines ?? [])
        {
            if (line.Requests < 0 || line.Input < 0 || line.Cached < 0 || line.Output < 0 || line.Cost < Money.Zero || line.Model is not { Length: <= MostModel })
                return $"The usage of key {line.Key} has a number below 0 or a model of more than {MostModel} characters.";
        }
        if (report.Asks.Any(a => a.Wanted < Money.Zero) || report.Returns.Any(r => r.Returned < Money.Zero))
            return "asks and returns are of 0 or more.";
        return report.Loads.Any(l => !(l.Running >= 0 && l.Queued >= 0 && l.Tokens >= 0) || l.Arrived is < 0 or > MostArrived) || report.Replicas.Any(r => r.Requests < 0)
            ? $"loads are of 0 or more, and of at most {MostArrived:N0} requests that arrived." : null;
    }

    /// <summary>A body can say null where a list belongs, and in it.</summary>
    private static string? ProblemOfList<T>(string what, IReadOnlyList<T>? list) where T : class => list switch
    {
        null => $"{what} is null; expected a list.",
        { Count: > MostLines } => $"{what} has {list.Count:N0} entries; expected at most {MostLines:N0}.",
        _ => list.Any(entry => entry is null) ? $"{what} has an entry that is null; expected none." : null,
    };

    private static string? ProblemOfLists(LoadReport load) =>
        load.Times is null ? "loads.times is null; expected a list." : ProblemOfList("loads.revisions", load.Revisions);

    /// <returns>What a response lacks to be kept; null where nothing.</returns>
    public static string? Problem(KeptResponse kept) =>
        kept is { Id.Length: > 0 and <= MostId, Response.Length: > 0, Items.Length: > 0 } && kept.ExpiresAt >= kept.CreatedAt
            ? null : $"A kept response has an id of 1 to {MostId} characters, a response, its items, and ends after it was made.";

    /// <returns>The first mistake in words; null where there is none.</returns>
    public static string? Problem(ExplanationReport told)
    {
        if (!RequestIds.IsOne(told.Id ?? ""))
            return "id is no request's; expected that of the question.";
        return (told.Request is null) == (told.Project is null) && told.Request is null or { Id: not null, Model: not null, Key: not null, Attempts: not null }
            ? null : "request and project belong together, and a request has an id, a model, a key and attempts.";
    }

    public static string? ProblemOfName(string? name) => name is { Length: > 0 and <= MostName } && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '.' or '_')
        ? null : $"'{(name?.Length > MostName ? name[..MostName] + "…" : name)}' is not a gateway's name; expected 1 to {MostName} letters, digits, '-', '.' and '_'.";
}
