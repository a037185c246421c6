using Cairn.Contracts.Units;

namespace Cairn.Serving.Autoscaling;

/// <summary>
/// How many replicas an endpoint wants, as its owner says. Names and defaults follow Knative's autoscaler where it has the knob, because
/// people know them. A replica that loads a model takes minutes to come back, so the way down is slow.
/// </summary>
public sealed record ScalingSpec
{
    /// <summary>The longest <see cref="StableWindow"/>.</summary>
    public static readonly TimeSpan MostStableWindow = TimeSpan.FromMinutes(5);

    /// <summary>The longest <see cref="PanicWindow"/>. Latencies are remembered for as long, second by second, and take the most memory of what is remembered.</summary>
    public static readonly TimeSpan MostPanicWindow = TimeSpan.FromSeconds(30);

    /// <summary>At least so many, 0 to 10,000; default 1. 0 lets an idle endpoint sleep.</summary>
    public int MinReplicas { get; init; } = 1;

    /// <summary>At most so many, 1 to 10,000; default 1.</summary>
    public int MaxReplicas { get; init; } = 1;

    /// <summary>Requests, running and queued, that one replica is meant to have at once, above 0; default 8. Null leaves the signal out.</summary>
    public double? TargetConcurrency { get; init; } = 8;

    /// <summary>Requests that begin per second, per replica; null leaves the signal out.</summary>
    public double? TargetRequestsPerSecond { get; init; }

    /// <summary>Tokens in flight (prompt and expected output) that one replica holds; null leaves the signal out.</summary>
    public double? TokenCapacity { get; init; }

    /// <summary>The share of a target at which one more replica is asked for, in (0, 1]; default 0.7. Smaller keeps more in reserve.</summary>
    public double TargetUtilization { get; init; } = 0.7;

    /// <summary>The time to first token that nine of ten requests shall see, milliseconds; null leaves the signal out.</summary>
    public double? TimeToFirstTokenMs { get; init; }

    /// <summary>The time per output token that nine of ten requests shall see, milliseconds; null leaves the signal out.</summary>
    public double? TimePerOutputTokenMs { get; init; }

    /// <summary>What is averaged in calm times; default 60 s, 6 s to 5 minutes.</summary>
    public TimeSpan StableWindow { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>What is averaged to notice a burst; default 6 s, 1 s to 30 s and at most the stable window.</summary>
    public TimeSpan PanicWindow { get; init; } = TimeSpan.FromSeconds(6);

    /// <summary>A burst begins where the panic window asks for this many times what is ready; default 2, above 1.</summary>
    public double PanicThreshold { get; init; } = 2;

    /// <summary>One decision multiplies what is ready by at most this; default 1,000.</summary>
    public double MaxScaleUpRate { get; init; } = 1000;

    /// <summary>One decision divides what is ready by at most this; default 2.</summary>
    public double MaxScaleDownRate { get; init; } = 2;

    /// <summary>
    /// Less is wanted only where it would carry this much more than there is, in [0, 1]; default 0.1. Keeps a load on the border of two
    /// numbers from flapping.
    /// </summary>
    public double ScaleDownTolerance { get; init; } = 0.1;

    /// <summary>
    /// The number falls only to the highest that was wanted within this time; default 300 s. Smaller saves money, larger saves cold
    /// starts.
    /// </summary>
    public TimeSpan ScaleDownDelay { get; init; } = TimeSpan.FromSeconds(300);

    /// <summary>An endpoint sleeps after so long without any request; default 300 s.</summary>
    public TimeSpan ScaleToZeroDelay { get; init; } = TimeSpan.FromSeconds(300);

    /// <summary>Bounds that hold at certain hours; the first that matches replaces <see cref="MinReplicas"/> and <see cref="MaxReplicas"/>.</summary>
    public IReadOnlyList<ScalingSchedule> Schedules { get; init; } = [];

    /// <summary>What all replicas together may cost per hour; stronger than every minimum. Null sets no cap.</summary>
    public HourlyPrice? SpendCap { get; init; }

    /// <summary>Every mistake, in words; empty where the spec can be used.</summary>
    public IReadOnlyList<string> Problems()
    {
        var problems = new List<string>();
        void Check(bool good, string problem)
        {
            if (!good)
                problems.Add(problem);
        }

        Check(MinReplicas is >= 0 and <= 10_000, $"The minimum of replicas is {MinReplicas}; expected 0 to 10,000.");
        Check(MaxReplicas is >= 1 and <= 10_000, $"The maximum of replicas is {MaxReplicas}; expected 1 to 10,000.");
        Check(MinReplicas <= MaxReplicas, $"The minimum of replicas, {MinReplicas}, is above the maximum, {MaxReplicas}.");
        Check(TargetConcurrency is null or > 0, $"The target concurrency is {TargetConcurrency}; expected a number above 0.");
        Check(TargetRequestsPerSecond is null or > 0,
            $"The target of requests per second is {TargetRequestsPerSecond}; expected a number above 0.");
        Check(TokenCapacity is null or > 0, $"The token capacity is {TokenCapacity}; expected a number above 0.");
        Check(TargetUtilization is > 0 and <= 1, $"The target utilization is {TargetUtilization}; expected above 0 and at most 1.");
        Check(TimeToFirstTokenMs is null or > 0, $"The time to first token is {TimeToFirstTokenMs} ms; expected above 0.");
        Check(TimePerOutputTokenMs is null or > 0, $"The time per output token is {TimePerOutputTokenMs} ms; expected above 0.");
        Check(StableWindow >= TimeSpan.FromSeconds(6) && StableWindow <= MostStableWindow,
            $"The stable window is {StableWindow}; expected 6 s to 5 min.");
        Check(PanicWindow >= TimeSpan.FromSeconds(1) && PanicWindow <= StableWindow && PanicWindow <= MostPanicWindow,
            $"The panic window is {PanicWindow}; expected 1 s to 30 s and at most the stable window.");
        Check(PanicThreshold > 1, $"The panic threshold is {PanicThreshold}; expected above 1.");
        Check(MaxScaleUpRate > 1, $"The maximum scale-up rate is {MaxScaleUpRate}; expected above 1.");
        Check(MaxScaleDownRate > 1, $"The maximum scale-down rate is {MaxScaleDownRate}; expected above 1.");
        Check(ScaleDownTolerance is >= 0 and <= 1, $"The scale-down tolerance is {ScaleDownTolerance}; expected 0 to 1.");
        Check(ScaleDownDelay >= TimeSpan.Zero && ScaleDownDelay <= TimeSpan.FromHours(24),
            $"The scale-down delay is {ScaleDownDelay}; expected 0 to 24 h.");
        Check(ScaleToZeroDelay >= TimeSpan.Zero && ScaleToZeroDelay <= TimeSpan.FromDays(7),
            $"The scale-to-zero delay is {ScaleToZeroDelay}; expected 0 to 7 days.");
        Check(SpendCap is null or { MicrosPerHour: >= 0 }, $"The spend cap is {SpendCap}; expected 0 or more.");
        foreach (var (least, most) in Schedules.Select(schedule => (schedule.MinReplicas, schedule.MaxReplicas)))
        {
            Check(least >= 0 && least <= most && most is >= 1 and <= 10_000,
                $"A schedule's replicas are {least}..{most}; expected 0..10,000 in order, with at least 1 at the top.");
        }
        return problems;
    }
}

/// <summary>Bounds for certain hours of certain days, UTC.</summary>
/// <param name="Days">Empty means every day; the day on which the hours begin.</param>
/// <param name="From">Inclusive.</param>
/// <param name="To">Exclusive; before or equal to <paramref name="From"/> means the next day.</param>
public sealed record ScalingSchedule(IReadOnlyList<DayOfWeek> Days, TimeOnly From, TimeOnly To, int MinReplicas, int MaxReplicas)
{
    /// <summary>Whether it holds at a time.</summary>
    public bool Holds(DateTimeOffset at)
    {
        var (day, time) = (at.UtcDateTime.DayOfWeek, TimeOnly.FromTimeSpan(at.UtcDateTime.TimeOfDay));
        if (From < To)
            return On(day) && time >= From && time < To;
        return (On(day) && time >= From) || (On(at.UtcDateTime.AddDays(-1).DayOfWeek) && time < To);
    }

    private bool On(DayOfWeek day) => Days.Count == 0 || Days.Contains(day);
}
