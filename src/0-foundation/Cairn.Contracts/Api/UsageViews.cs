using Cairn.Contracts.Units;

namespace Cairn.Contracts.Api;

/// <summary>GET /api/v1/usage?by=key|model|endpoint|day&amp;key=&amp;model=&amp;since=: what models' users used, up to about a second ago.</summary>
public sealed record UsageView
{
    /// <summary>The first hour that counts.</summary>
    public required DateTimeOffset Since { get; init; }

    /// <summary>What the rows are grouped by.</summary>
    public required string By { get; init; }

    /// <summary>Dearest first; days in their order.</summary>
    public required IReadOnlyList<UsageRow> Rows { get; init; }

    /// <summary>The exact sum of the rows.</summary>
    public required Money Total { get; init; }
}

/// <param name="Name">The key, the model, the endpoint or provider, or the day.</param>
/// <param name="InputTokens">Of prompts, cached ones included.</param>
/// <param name="CachedTokens">Of the input, those that the engine had.</param>
/// <param name="Cost">What was charged.</param>
public sealed record UsageRow(string Name, long Requests, long InputTokens, long CachedTokens, long OutputTokens, Money Cost)
{
    /// <summary>Dollars per million tokens, input and output together, as charged; 0 where there were none.</summary>
    public decimal UsdPerMillionTokens => InputTokens + OutputTokens == 0 ? 0 : decimal.Round(Cost.Micros / (decimal)(InputTokens + OutputTokens), 6);
}
