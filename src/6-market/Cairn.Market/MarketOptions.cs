namespace Cairn.Market;

/// <summary>How the market accounts.</summary>
public sealed class MarketOptions
{
    /// <summary>The market's share, in percent of compute, charged on top of the provider's price. 0 to 50; default 0.</summary>
    public decimal FeePercent { get; init; }

    /// <summary>Every mistake at once, in words; empty when all is well.</summary>
    public IReadOnlyList<string> Validate() =>
        FeePercent is < 0 or > 50 ? [$"The fee is {FeePercent} %; expected 0 to 50."] : [];
}
