using Cairn.Contracts.Units;

namespace Cairn.Serving.Gateway.Snapshots;

/// <summary>What a model's tokens cost its user, per million.</summary>
/// <param name="CachedInput">For prompt tokens that the engine had cached; null prices them as others.</param>
public sealed record TokenPrices(Money Input, Money Output, Money? CachedInput = null)
{
    public static readonly TokenPrices Free = new(Money.Zero, Money.Zero);

    private const long Million = 1_000_000;

    /// <summary>The whole cost, rounded up to a micro-dollar once.</summary>
    public Money CostOf(long inputTokens, long outputTokens, long cachedTokens = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(inputTokens);
        ArgumentOutOfRangeException.ThrowIfNegative(outputTokens);
        cachedTokens = Math.Clamp(cachedTokens, 0, inputTokens);
        var total = (Int128)Input.Micros * (inputTokens - cachedTokens) + (Int128)(CachedInput ?? Input).Micros * cachedTokens + (Int128)Output.Micros * outputTokens;
        return new Money(checked((long)((total + Million - 1) / Million)));
    }
}
