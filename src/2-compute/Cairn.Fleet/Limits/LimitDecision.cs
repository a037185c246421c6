using Cairn.Contracts.Jobs;
using Cairn.Contracts.Units;
using Cairn.Contracts.Workloads;

namespace Cairn.Fleet.Limits;

/// <param name="NowMicros">The server's clock.</param>
/// <param name="SubmittedMicros">When the job was accepted.</param>
/// <param name="StartedMicros">When the job first ran; null before.</param>
/// <param name="Cost">Used so far, up to now.</param>
/// <param name="Hourly">The price of its live leases for one hour.</param>
/// <param name="GraceMicros">How long its tasks may go on once asked to stop.</param>
internal readonly record struct LimitFacts(
    long NowMicros, long SubmittedMicros, long? StartedMicros, Money Cost, HourlyPrice Hourly, long GraceMicros);

/// <param name="Reason">One of <see cref="EndReasons"/>.</param>
/// <param name="Message">The limit and how it was reached, in words.</param>
internal sealed record LimitBreach(string Reason, string Message);

/// <summary>
/// Decides whether a job must stop for a limit of its workload, and when to look again. Pure.
/// A budget stops the job early enough that its grace still fits: at <c>cost + hourly × grace ≥ budget</c>. A deadline and the longest
/// duration stop it at their moment.
/// </summary>
internal static class LimitDecision
{
    public const long Never = long.MaxValue;
    private const long SecondMicros = 1_000_000;

    public static LimitBreach? Decide(MoneySpec money, in LimitFacts facts)
    {
        if (facts.NowMicros >= DeadlineAt(money, facts))
            return new(EndReasons.Deadline, $"The deadline of {money.DeadlineSeconds:N0} s after submission has passed.");
        if (facts.NowMicros >= LongestAt(money, facts))
            return new(EndReasons.MaxDuration, $"The job has run for its longest duration, {money.MaxDurationSeconds:N0} s.");
        if (facts.NowMicros >= BudgetAt(money, facts))
            return new(EndReasons.Budget,
                $"{facts.Cost} of the budget of {money.Budget} is used; stopping at {facts.Hourly} now keeps within it.");
        return null;
    }

    /// <summary>The first moment at which <see cref="Decide"/> would stop the job if nothing changed, or <see cref="Never"/>.</summary>
    public static long NextCheck(MoneySpec money, in LimitFacts facts) =>
        Math.Min(DeadlineAt(money, facts), Math.Min(LongestAt(money, facts), BudgetAt(money, facts)));

    private static long DeadlineAt(MoneySpec money, in LimitFacts facts) => After(facts.SubmittedMicros, money.DeadlineSeconds);

    private static long LongestAt(MoneySpec money, in LimitFacts facts) =>
        facts.StartedMicros is { } started ? After(started, money.MaxDurationSeconds) : Never;

    private static long BudgetAt(MoneySpec money, in LimitFacts facts)
    {
        if (money.Budget is not { } budget || facts.Hourly.MicrosPerHour <= 0)
            return Never;
        var left = budget - facts.Cost;
        if (left <= Money.Zero)
            return facts.NowMicros;
        var lasts = (Int128)left.Micros * HourlyPrice.MicrosecondsPerHour / facts.Hourly.MicrosPerHour - facts.GraceMicros;
        return lasts > Never - facts.NowMicros ? Never : facts.NowMicros + (long)Int128.Max(0, lasts);
    }

    private static long After(long start, long? seconds) =>
        seconds is not { } s ? Never : s > (Never - start) / SecondMicros ? Never : start + s * SecondMicros;
}
