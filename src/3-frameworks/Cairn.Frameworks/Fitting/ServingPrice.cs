namespace Cairn.Frameworks.Fitting;

/// <summary>What tokens cost at a place that costs so much per hour, in dollars per million.</summary>
/// <param name="PerMillionInput">Of prompts: their share of the time.</param>
/// <param name="PerMillionOutput">Of answers: the rest; 0 where there are none.</param>
/// <param name="PerMillionRequests">Of whole requests.</param>
public sealed record ServingPrice(double PerMillionInput, double PerMillionOutput, double PerMillionRequests)
{
    /// <summary>
    /// Divides the hour's price by the time that prompts and answers take, so that both together are the price of a request, whatever the
    /// machine is busy with. Assumes that the machine is never idle.
    /// </summary>
    /// <param name="usdPerHour">Of all accelerators that the answer counts.</param>
    /// <param name="answer">With a speed.</param>
    /// <param name="need">What was asked.</param>
    public static ServingPrice Of(double usdPerHour, FitAnswer.Fits answer, FitNeed need)
    {
        ArgumentNullException.ThrowIfNull(answer);
        ArgumentNullException.ThrowIfNull(need);
        ArgumentOutOfRangeException.ThrowIfNegative(usdPerHour);
        var speed = answer.Speed
            ?? throw new ArgumentException("The answer has no speed: its accelerator has no published rate.", nameof(answer));
        var perSecond = usdPerHour / 3600;
        var input = perSecond * speed.PrefillShare / (answer.Replicas * speed.InputTokensPerSecond);
        var output = need.OutputTokens == 0 ? 0 : perSecond * (1 - speed.PrefillShare) / (answer.Replicas * speed.OutputTokensPerSecond);
        return new ServingPrice(input * 1e6, output * 1e6, 1e6 * perSecond / (answer.Replicas * speed.RequestsPerSecond));
    }
}
