using Cairn.Contracts.Units;

namespace Cairn.Serving.Autoscaling;

/// <summary>
/// Decides how many replicas an endpoint shall have; pure. The shape is that of Knative's pod autoscaler (a stable and a panic window,
/// rate limits, a delay on the way down), with signals that fit language models: requests and tokens in flight, and latency against what
/// was promised.
/// </summary>
internal static class Autoscaler
{
    private const double MostSloStep = 2;

    /// <summary>
    /// (1) The bounds of this hour; (2) what each window's load asks for; (3) burst or calm; (4) one step is limited; (5) latency may ask for more;
    /// (6) the way down is delayed; (7) zero only after idleness, and one only for somebody who waits; (8) bounds, the spend cap last.
    /// </summary>
    /// <param name="price">What one replica costs.</param>
    public static ScalingDecision Decide(ScalingSpec spec, LoadHistory load, ReplicaCounts replicas, ScalingMemory memory, HourlyPrice price,
        DateTimeOffset now)
    {
        // (1)
        var bounds = Bounds.Of(spec, price, now);

        // (2)
        var stable = Steady(spec, load.Average(now, spec.StableWindow), replicas.Wanted);
        var burst = Asked(spec, load.Average(now, spec.PanicWindow), 1);

        // (3)
        var ready = Math.Max(1, replicas.Ready);
        memory = Panic(spec, memory, burst, ready, now);
        var (wanted, reason) = (stable, ScalingReason.Load);
        if (memory.PanicSince is not null)
        {
            memory = memory with { PanicPeak = Math.Max(memory.PanicPeak, Math.Max(burst, stable)) };
            (wanted, reason) = (memory.PanicPeak, ScalingReason.Burst);
        }

        // (4)
        var most = (int)Math.Min(int.MaxValue, Math.Ceiling(ready * spec.MaxScaleUpRate));
        var least = (int)Math.Floor(replicas.Ready / spec.MaxScaleDownRate);
        wanted = Math.Clamp(wanted, Math.Min(least, most), most);

        // (5)
        if (BySlo(spec, load, replicas, now) is { } more && more > wanted)
            (wanted, reason) = (more, ScalingReason.Slo);

        // (6)
        memory = memory with { Peaks = Remember(memory.Peaks, now, wanted, spec.ScaleDownDelay) };
        if (memory.Peaks[0].Wanted > wanted)
            (wanted, reason) = (memory.Peaks[0].Wanted, ScalingReason.Delay);

        // (7)
        (wanted, reason) = AroundZero(spec, load, replicas, bounds, (wanted, reason), now);

        // (8)
        if (wanted < bounds.Min)
            (wanted, reason) = (bounds.Min, ScalingReason.Minimum);
        if (wanted > bounds.Max)
            (wanted, reason) = (bounds.Max, ScalingReason.Maximum);
        if (wanted > bounds.Affordable)
            (wanted, reason) = (bounds.Affordable, ScalingReason.SpendCap);
        return new ScalingDecision(wanted, reason, Words(reason, wanted, load.Average(now, spec.StableWindow), spec, bounds), memory);
    }

    /// <summary>Less than there is only where that would carry the load and the tolerance.</summary>
    private static int Steady(ScalingSpec spec, AverageLoad load, int wanted)
    {
        var asked = Asked(spec, load, 1);
        return asked >= wanted ? asked : Math.Min(wanted, Asked(spec, load, 1 + spec.ScaleDownTolerance));
    }

    /// <summary>Replicas that carry so many times a load at the target's utilization; the hungriest signal decides.</summary>
    private static int Asked(ScalingSpec spec, AverageLoad load, double times)
    {
        var asked = 0.0;
        if (spec.TargetConcurrency is { } concurrency)
            asked = Math.Max(asked, load.Concurrency / (concurrency * spec.TargetUtilization));
        if (spec.TargetRequestsPerSecond is { } requests)
            asked = Math.Max(asked, load.RequestsPerSecond / (requests * spec.TargetUtilization));
        if (spec.TokenCapacity is { } tokens)
            asked = Math.Max(asked, load.TokensInFlight / (tokens * spec.TargetUtilization));
        // A sum of shares of seconds is exact only to rounding: 3.0000000001 asks for three.
        return (int)Math.Min(1_000_000, Math.Ceiling(asked * times - 1e-9));
    }

    private static ScalingMemory Panic(ScalingSpec spec, ScalingMemory memory, int burst, int ready, DateTimeOffset now)
    {
        if (burst >= ready * spec.PanicThreshold)
            return memory with { PanicSince = now };
        return memory.PanicSince is { } since && now - since >= spec.StableWindow ? memory with { PanicSince = null, PanicPeak = 0 } : memory;
    }

    /// <summary>
    /// In proportion to how far latency is above the promise; not while replicas are still coming, because what they will change is not
    /// seen yet.
    /// </summary>
    private static int? BySlo(ScalingSpec spec, LoadHistory load, ReplicaCounts replicas, DateTimeOffset now)
    {
        if (replicas.Ready == 0 || replicas.Starting > 0 || load.Current.IsNone)
            return null;
        var over = Math.Max(
            Over(spec.TimeToFirstTokenMs, spec.TimeToFirstTokenMs is null ? null : load.FirstTokenNinetieth(now, spec.PanicWindow)),
            Over(spec.TimePerOutputTokenMs, spec.TimePerOutputTokenMs is null ? null : load.EachTokenNinetieth(now, spec.PanicWindow)));
        // The bins are 9 % wide: what is not clearly above the promise is not above it.
        return over <= 1.1 ? null : (int)Math.Ceiling(replicas.Ready * Math.Min(over, MostSloStep));
    }

    private static double Over(double? promised, double? seen) => promised is { } p && seen is { } s ? s / p : 0;

    private static List<(DateTimeOffset At, int Wanted)> Remember(
        IReadOnlyList<(DateTimeOffset At, int Wanted)> peaks, DateTimeOffset now, int wanted, TimeSpan delay)
    {
        var kept = peaks.Where(p => now - p.At < delay && p.Wanted > wanted).ToList();
        kept.Add((now, wanted));
        return kept;
    }

    private static (int, ScalingReason) AroundZero(ScalingSpec spec, LoadHistory load, ReplicaCounts replicas, Bounds bounds,
        (int Wanted, ScalingReason Reason) so, DateTimeOffset now)
    {
        if (replicas.Wanted == 0)
            return load.Current.IsNone ? (0, ScalingReason.Idle) : (Math.Max(1, so.Wanted), ScalingReason.Activation);
        if (so.Wanted > 0 && !(bounds.Min == 0 && Idle(spec, load, now)))
            return so;
        // What still loads is never thrown away, and work in hand holds one.
        var idle = Idle(spec, load, now) && replicas.Starting == 0;
        return idle ? (0, ScalingReason.Idle) : (Math.Max(1, so.Wanted), so.Wanted > 0 ? so.Reason : ScalingReason.Delay);
    }

    private static bool Idle(ScalingSpec spec, LoadHistory load, DateTimeOffset now) =>
        load.Current.IsNone && (load.LastWorked ?? load.Started) is { } last && now - last >= spec.ScaleToZeroDelay;

    private static string Words(ScalingReason reason, int wanted, AverageLoad load, ScalingSpec spec, Bounds bounds) => reason switch
    {
        ScalingReason.Load => $"{load.Concurrency:0.##} requests at once and {load.RequestsPerSecond:0.##} per second over {spec.StableWindow.TotalSeconds:0} s ask for {wanted}.",
        ScalingReason.Burst => $"A burst asks for {wanted}; nothing is taken away until {spec.StableWindow.TotalSeconds:0} s after it.",
        ScalingReason.Delay => $"{wanted} are kept until less was wanted for {spec.ScaleDownDelay.TotalSeconds:0} s.",
        ScalingReason.Slo => $"Latency is above what was promised: {wanted}.",
        ScalingReason.Minimum => $"The minimum is {wanted}.",
        ScalingReason.Maximum => $"The load asks for more than the maximum of {wanted}.",
        ScalingReason.SpendCap => $"{spec.SpendCap} pay for {bounds.Affordable}.",
        ScalingReason.Idle => $"No request for {spec.ScaleToZeroDelay.TotalSeconds:0} s.",
        _ => "A request waits at a sleeping endpoint.",
    };

    private readonly record struct Bounds(int Min, int Max, int Affordable)
    {
        public static Bounds Of(ScalingSpec spec, HourlyPrice price, DateTimeOffset now)
        {
            var schedule = spec.Schedules.FirstOrDefault(s => s.Holds(now));
            var affordable = spec.SpendCap is { } cap && price.MicrosPerHour > 0 ? cap.MicrosPerHour / price.MicrosPerHour : int.MaxValue;
            return new Bounds(schedule?.MinReplicas ?? spec.MinReplicas, schedule?.MaxReplicas ?? spec.MaxReplicas, (int)Math.Min(int.MaxValue, affordable));
        }
    }
}
