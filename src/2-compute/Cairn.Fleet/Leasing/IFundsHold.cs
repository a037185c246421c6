using Cairn.Contracts.Ids;
using Cairn.Contracts.Problems;
using Cairn.Contracts.Units;
using Cairn.State;

namespace Cairn.Fleet.Leasing;

/// <summary>
/// What the fleet asks of whoever keeps the money. Every call runs inside the write that changes the job, on the writer's thread, so a job
/// and its money become durable together or not at all. Calls are idempotent; the ledger behind them implements this, the server wires it.
/// </summary>
public interface IFundsHold
{
    /// <summary>
    /// Makes sure that at least <paramref name="unspent"/> is held for the job beyond what its leases have used. A hold never shrinks here.
    /// </summary>
    /// <returns>
    /// Null once held, or <see cref="ProblemCodes.InsufficientFunds"/> with what the project has and what was needed; then nothing changed.
    /// </returns>
    Problem? Hold(WriteSession session, JobId job, ProjectId project, Money unspent);

    /// <summary>Charges what leases have used since their last settlement, in the given order. A usage that was charged already charges nothing.</summary>
    void Settle(WriteSession session, IReadOnlyList<LeaseUsage> usages);

    /// <summary>Gives back what is still held for jobs that have ended. Their last usages were settled before, in the same write.</summary>
    void Close(WriteSession session, IReadOnlyList<JobId> jobs);
}

/// <summary>What one lease has used up to now. Sums are since its grant, so a repeated or late settlement never charges twice.</summary>
/// <param name="LeaseId">The lease; it shares its id with its task.</param>
/// <param name="JobId">Whose job used it.</param>
/// <param name="ProjectId">Who pays.</param>
/// <param name="NodeId">Who is paid for.</param>
/// <param name="Price">Of the lease for one hour.</param>
/// <param name="BilledMicros">Billable time since the grant, in microseconds.</param>
/// <param name="Before">Charged so far: <c>floor(price × billed time)</c> at the last settlement.</param>
/// <param name="Total">Charged including this settlement; never less than <paramref name="Before"/>.</param>
/// <param name="AtMicros">The server's clock at the settlement, UTC microseconds.</param>
/// <param name="Final">True when the lease has ended.</param>
public readonly record struct LeaseUsage(
    LeaseId LeaseId,
    JobId JobId,
    ProjectId ProjectId,
    NodeId NodeId,
    HourlyPrice Price,
    long BilledMicros,
    Money Before,
    Money Total,
    long AtMicros,
    bool Final)
{
    /// <summary>What this settlement charges.</summary>
    public Money Amount => Total - Before;
}
