namespace Cairn.Fleet.Leasing;

/// <summary>
/// How much of a lease's time is billed, in microseconds. Pure.
/// <list type="number">
/// <item>Nothing before the task runs, unless the place bills its boot: then time counts from the grant.</item>
/// <item>Running time is measured by the server's clock, from hearing that the task runs to hearing that it ended.</item>
/// <item>It is never more than the node's own monotonic running time: a report that waited for a server that was away costs nothing
/// more.</item>
/// <item>A task that began and whose beginning was heard only afterwards is measured from the grant, still bounded by the node's own
/// time.</item>
/// <item>While it runs, time counts up to the last sign of life of its node: silence is not billed.</item>
/// </list>
/// So a node cannot charge for time that the server did not see pass, nor the server for time in which the node did not work.
/// </summary>
internal static class BilledTime
{
    /// <summary>Of a lease whose task still runs or was lost with its node.</summary>
    public static long SoFar(in LeaseTimes lease, long nodeSeenMicros)
    {
        if (lease.BillsBoot)
            return Between(lease.GrantedMicros, nodeSeenMicros);
        return lease.RunningMicros is { } running ? Between(running, nodeSeenMicros) : 0;
    }

    /// <summary>Of a lease whose task reported its end.</summary>
    /// <param name="lease">The lease.</param>
    /// <param name="endedMicros">When the server heard of the end.</param>
    /// <param name="elapsedMicros">How long the task ran by the node's monotonic clock; 0 when it never ran.</param>
    public static long Ended(in LeaseTimes lease, long endedMicros, long elapsedMicros)
    {
        var boot = lease.BillsBoot ? Between(lease.GrantedMicros, lease.RunningMicros ?? endedMicros) : 0;
        if (lease.RunningMicros is not { } running)
            return boot;
        var from = lease.BeganUnheard && !lease.BillsBoot ? lease.GrantedMicros : running;
        return boot + Math.Min(Between(from, endedMicros), Math.Max(0, elapsedMicros));
    }

    private static long Between(long from, long to) => Math.Max(0, to - from);
}

/// <param name="GrantedMicros">When the lease was committed.</param>
/// <param name="RunningMicros">When the server heard that the task runs; null before.</param>
/// <param name="BillsBoot">Whether the place bills the time before the task runs.</param>
/// <param name="BeganUnheard">Whether the task began to run while its node had no connection.</param>
internal readonly record struct LeaseTimes(long GrantedMicros, long? RunningMicros, bool BillsBoot, bool BeganUnheard);
