using Cairn.Contracts.Units;
using Cairn.Fleet.Jobs;

namespace Cairn.Fleet.Leasing;

/// <summary>
/// Charges leases in a turn. What a lease was charged never shrinks: each settlement charges the difference of two floors.
/// </summary>
internal static class LeaseSettlement
{
    /// <summary>Charges a running lease up to its node's last sign of life. A charge of nothing leaves no trace.</summary>
    public static void Meter(Turn turn, LiveTask task, long nodeSeenMicros)
    {
        var billed = BilledTime.SoFar(task.Times, Math.Min(turn.Now, nodeSeenMicros));
        if (task.Price.CostOf(Math.Max(billed, task.BilledMicros)) > task.Settled)
            Charge(turn, task, billed, final: false);
    }

    /// <summary>Charges a lease for the last time.</summary>
    public static void Finish(Turn turn, LiveTask task, long billedMicros) => Charge(turn, task, billedMicros, final: true);

    /// <summary>What the job has used up to now: the charged part, and what its leases have used since.</summary>
    public static Money CostUpTo(LiveJob job, long nowMicros)
    {
        var cost = job.Cost;
        foreach (var task in job.LiveTasks)
            cost += Money.Max(Money.Zero, task.Price.CostOf(BilledTime.SoFar(task.Times, nowMicros)) - task.Settled);
        return cost;
    }

    /// <summary>The price of the leases that are being billed or will be once their tasks run.</summary>
    public static HourlyPrice HourlyOf(LiveJob job) => new(job.LiveTasks.Sum(t => t.Price.MicrosPerHour));

    private static void Charge(Turn turn, LiveTask task, long billedMicros, bool final)
    {
        var job = task.Job;
        var before = task.Settled;
        task.BilledMicros = Math.Max(task.BilledMicros, billedMicros);
        task.Settled = task.Price.CostOf(task.BilledMicros);
        job.Cost += task.Settled - before;
        turn.Settle(new LeaseUsage
        {
            LeaseId = task.LeaseId,
            JobId = job.Id,
            ProjectId = job.ProjectId,
            Provider = task.Provider,
            Region = task.Region,
            NodeId = task.NodeId,
            Node = task.Node,
            Rank = task.Rank,
            Attempt = task.Attempt,
            Simulated = job.Simulated,
            Price = task.Price,
            BilledMicros = task.BilledMicros,
            Before = before,
            Total = task.Settled,
            AtMicros = turn.Now,
            Final = final,
        });
        turn.Change(task);
        turn.Change(job);
    }
}
