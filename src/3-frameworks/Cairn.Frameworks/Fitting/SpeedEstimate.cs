namespace Cairn.Frameworks.Fitting;

/// <summary>What holds a replica back the most.</summary>
public enum SpeedBound
{
    /// <summary>Reading weights from memory: more sequences at once would be almost free.</summary>
    WeightBandwidth,

    /// <summary>Multiplying, while answers are written.</summary>
    Compute,

    /// <summary>Reading keys and values: long contexts.</summary>
    KvBandwidth,

    /// <summary>Reading prompts.</summary>
    Prefill,

    /// <summary>Links between accelerators or machines.</summary>
    Communication,

    /// <summary>Launches, scheduling, sampling: the model is small for the card.</summary>
    Overhead,
}

/// <summary>
/// How fast one replica is in steady state, with prompts and answers of typical length. An estimate: docs/models.md gives its errors.
/// </summary>
public sealed record SpeedEstimate
{
    /// <summary>Sequences at once.</summary>
    public required int Concurrency { get; init; }

    /// <summary>Reading one prompt with nobody else there.</summary>
    public required double PrefillSeconds { get; init; }

    /// <summary>From a request's arrival to its first token: waiting for prompts before it, its own prompt, one step.</summary>
    public required double SecondsToFirstToken { get; init; }

    /// <summary>Between two tokens of one answer, prompts read in between included; 0 where there are no answers.</summary>
    public required double SecondsPerToken { get; init; }

    /// <summary>One step of all sequences without prompts.</summary>
    public required StepTime Step { get; init; }

    public required double RequestsPerSecond { get; init; }

    public required double InputTokensPerSecond { get; init; }

    public required double OutputTokensPerSecond { get; init; }

    /// <summary>The share of time that goes into reading prompts, 0 to 1.</summary>
    public required double PrefillShare { get; init; }

    public required SpeedBound Bound { get; init; }

    public bool Meets(ServingObjective objective)
    {
        ArgumentNullException.ThrowIfNull(objective);
        return (objective.TimeToFirstToken is not { } first || SecondsToFirstToken <= first.TotalSeconds)
            && (objective.TimePerToken is not { } each || SecondsPerToken <= each.TotalSeconds);
    }

    /// <summary>
    /// In a closed loop of <paramref name="concurrency"/> callers every request takes its prompt's time out of all and one step per
    /// output token, so a round of requests lasts output × step + concurrency × prompt. The wait before a prompt is a queue of Poisson
    /// arrivals with equal service times: ρ / (2 (1 − ρ)) of one service (Pollaczek and Khinchine), ρ being the share of time that
    /// prompts take.
    /// </summary>
    internal static SpeedEstimate Of(Roofline roofline, FitNeed need, int concurrency)
    {
        var interval = roofline.PrefillInterval(need.InputTokens);
        var prefill = roofline.Prefill(need.InputTokens);
        var step = need.OutputTokens == 0 ? default : roofline.Decode(concurrency, need.InputTokens + need.OutputTokens / 2.0);
        var round = need.OutputTokens * step.Total + concurrency * interval;
        var share = concurrency * interval / round;
        var requests = concurrency / round;
        var ahead = need.OutputTokens == 0 ? concurrency - 1 : Math.Min(share / (2 * (1 - share)), concurrency - 1);
        return new SpeedEstimate
        {
            Concurrency = concurrency,
            PrefillSeconds = prefill,
            SecondsToFirstToken = ahead * interval + prefill + step.Total,
            SecondsPerToken = need.OutputTokens == 0 ? 0 : round / need.OutputTokens,
            Step = step,
            RequestsPerSecond = requests,
            InputTokensPerSecond = requests * need.InputTokens,
            OutputTokensPerSecond = requests * need.OutputTokens,
            PrefillShare = share,
            Bound = BoundOf(step, share),
        };
    }

    private static SpeedBound BoundOf(StepTime step, double prefillShare)
    {
        var rest = 1 - prefillShare;
        var total = step.Total == 0 ? 1 : step.Total;
        ReadOnlySpan<(SpeedBound Bound, double Share)> parts =
        [
            (SpeedBound.Prefill, prefillShare),
            (step.ComputeBound ? SpeedBound.Compute : SpeedBound.WeightBandwidth, rest * step.Matrices / total),
            (SpeedBound.KvBandwidth, rest * step.KeysAndValues / total),
            (SpeedBound.Communication, rest * step.Communication / total),
            (SpeedBound.Overhead, rest * step.Overhead / total),
        ];
        var best = parts[0];
        foreach (var part in parts)
        {
            if (part.Share > best.Share)
                best = part;
        }

        return best.Bound;
    }
}
