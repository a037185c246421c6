using Cairn.Contracts.Units;

namespace Cairn.Serving.Gateway.Limits;

/// <summary>What a key may use; null sets no limit. A key under another is held to both.</summary>
public sealed record KeyLimits
{
    public static readonly KeyLimits None = new();

    /// <summary>Requests in any 60 seconds, at least 1.</summary>
    public long? RequestsPerMinute { get; init; }

    /// <summary>Prompt and output tokens in any 60 seconds, at least 1.</summary>
    public long? TokensPerMinute { get; init; }

    /// <summary>Requests at once, at least 1.</summary>
    public int? ParallelRequests { get; init; }

    /// <summary>Money per <see cref="Period"/>.</summary>
    public Money? Budget { get; init; }

    /// <summary>When the budget begins anew; default never.</summary>
    public BudgetPeriod Period { get; init; }

    /// <summary>Every mistake, in words; empty where the limits can be used.</summary>
    public IReadOnlyList<string> Problems()
    {
        var problems = new List<string>();
        if (RequestsPerMinute is < 1)
            problems.Add($"Requests per minute are {RequestsPerMinute}; expected at least 1.");
        if (TokensPerMinute is < 1)
            problems.Add($"Tokens per minute are {TokensPerMinute}; expected at least 1.");
        if (ParallelRequests is < 1)
            problems.Add($"Parallel requests are {ParallelRequests}; expected at least 1.");
        if (Budget is { Micros: < 0 })
            problems.Add($"The budget is {Budget}; expected $0.00 or more.");
        return problems;
    }
}
