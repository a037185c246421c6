using Cairn.Contracts.Jobs;
using Cairn.Contracts.Units;
using Cairn.Fleet.Jobs;
using Cairn.Fleet.Recovery;

namespace Cairn.Fleet.Leasing;

/// <summary>
/// Charges running leases at regular times and keeps enough money held for the time until well after the next charge, so that a job is
/// stopped before the money is gone and not after.
/// </summary>
internal sealed class Metering(JobBoard board, NodeSight sight, TimeSpan interval)
{
    private readonly long _intervalMicros = interval.Ticks / TimeSpan.TicksPerMicrosecond;
    private long _nextAt;

    public long NextAt => _nextAt;

    /// <summary>Starts counting anew.</summary>
    public void Begin(long nowMicros) => _nextAt = nowMicros + _intervalMicros;

    public void Run(Turn turn)
    {
        if (turn.Now < _nextAt)
            return;
        _nextAt = turn.Now + _intervalMicros;
        foreach (var task in board.Tasks)
        {
            if (task.RunningAt is not null || task.BillsBoot)
                LeaseSettlement.Meter(turn, task, sight.LastSeen(task.NodeId, turn.Now));
        }
        foreach (var job in board.Jobs)
        {
            if (job.Phase is JobPhase.Running or JobPhase.Starting && LeaseSettlement.HourlyOf(job) is { MicrosPerHour: > 0 } hourly)
                turn.TopUp(job, Reserve(hourly, job.Workload.StopGraceSeconds));
        }
    }

    /// <summary>What must be held while a job goes on: two more intervals, for one may be late, and the grace of its stop.</summary>
    public Money Reserve(HourlyPrice hourly, int graceSeconds) => hourly.CostOf(2 * _intervalMicros + graceSeconds * 1_000_000L);
}
