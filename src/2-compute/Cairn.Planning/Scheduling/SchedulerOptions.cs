namespace Cairn.Planning.Scheduling;

/// <summary>How long a blocked gang waits before room is kept for it, and how much is kept at once.</summary>
public sealed class SchedulerOptions
{
    /// <summary>
    /// After this wait, in microseconds, a blocked gang at the head of its line reserves nodes, which drain until it fits. Shorter protects
    /// large gangs sooner and leaves more nodes half empty. At least 1 ms; default 30 s.
    /// </summary>
    public long ReserveAfterMicros { get; init; } = 30_000_000;

    /// <summary>
    /// Reservations held at once over all classes, 0 to 1,000; one class never carries two. 0 turns them off: large gangs may then starve.
    /// Default 32.
    /// </summary>
    public int MaxReservations { get; init; } = 32;

    /// <summary>Every broken rule, in words; empty where all hold.</summary>
    public IReadOnlyList<string> Errors()
    {
        var errors = new List<string>();
        if (ReserveAfterMicros < 1_000)
            errors.Add($"ReserveAfterMicros is {ReserveAfterMicros}; expected at least 1000 (1 ms).");
        if (MaxReservations is < 0 or > 1_000)
            errors.Add($"MaxReservations is {MaxReservations}; expected 0 to 1000.");
        return errors;
    }
}
