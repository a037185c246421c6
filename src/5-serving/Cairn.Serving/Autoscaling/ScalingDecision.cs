namespace Cairn.Serving.Autoscaling;

/// <summary>An endpoint's replicas.</summary>
/// <param name="Wanted">What was decided last.</param>
/// <param name="Ready">Those that answer.</param>
public readonly record struct ReplicaCounts(int Wanted, int Ready)
{
    /// <summary>Wanted and not there yet.</summary>
    public int Starting => Math.Max(0, Wanted - Ready);
}

/// <summary>What one decision hands to the next.</summary>
public sealed record ScalingMemory
{
    public static readonly ScalingMemory None = new();

    /// <summary>
    /// Of who has just begun to look, and knows neither the load before nor for how long as many were wanted: nothing is taken away until the
    /// delay has passed anew.
    /// </summary>
    public static ScalingMemory Begun(int wanted, DateTimeOffset now) => new() { Peaks = [(now, wanted)] };

    /// <summary>When the burst that is going on was last seen; null in calm times.</summary>
    public DateTimeOffset? PanicSince { get; init; }

    /// <summary>The most that was wanted in this burst.</summary>
    public int PanicPeak { get; init; }

    /// <summary>
    /// What was wanted when, oldest first, each less than the one before: the highest within the delay is the first that is young enough.
    /// </summary>
    public IReadOnlyList<(DateTimeOffset At, int Wanted)> Peaks { get; init; } = [];
}

/// <summary>How many replicas there shall be, and why.</summary>
/// <param name="Wanted">The number.</param>
/// <param name="Reason">A stable word for the rule that decided.</param>
/// <param name="Message">The same for people, with figures.</param>
/// <param name="Memory">For the next decision.</param>
public sealed record ScalingDecision(int Wanted, ScalingReason Reason, string Message, ScalingMemory Memory);

public enum ScalingReason
{
    /// <summary>The load asks for it.</summary>
    Load,

    /// <summary>A burst: more at once, and nothing less until it is over.</summary>
    Burst,

    /// <summary>Less is wanted, and the delay is not over.</summary>
    Delay,

    /// <summary>Latency is above what was promised.</summary>
    Slo,

    /// <summary>The minimum.</summary>
    Minimum,

    /// <summary>The maximum.</summary>
    Maximum,

    /// <summary>More would cost more than the cap.</summary>
    SpendCap,

    /// <summary>Nothing was asked for long enough.</summary>
    Idle,

    /// <summary>Somebody waits at a sleeping endpoint.</summary>
    Activation,
}
