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

    /// <summary>
    /// Charges what leases have used since their last settlement, in the given order. A usage that was charged already charges nothing.
    /// </summary>
    void Settle(WriteSession session, IReadOnlyList<LeaseUsage> usages);

    /// <summary>Gives back what is still held for jobs that have ended. Their last usages were settled before, in the same write.</summary>
    void Close(WriteSession session, IReadOnlyList<JobId> jobs);
}

/// <summary>What one lease has used up to now. Sums are since its grant, so a repeated or late settlement never charges twice.</summary>
public sealed record LeaseUsage
{
    /// <summary>The lease; it shares its id with its task.</summary>
    public required LeaseId LeaseId { get; init; }

    public required JobId JobId { get; init; }

    /// <summary>Who pays.</summary>
    public required ProjectId ProjectId { get; init; }

    /// <summary>Who is paid.</summary>
    public required string Provider { get; init; }

    public required string Region { get; init; }

    public required NodeId NodeId { get; init; }

    /// <summary>The node's name when the lease was granted.</summary>
    public required string Node { get; init; }

    public required int Rank { get; init; }

    public required int Attempt { get; init; }

    /// <summary>Whether a simulated device is among what was leased.</summary>
    public required bool Simulated { get; init; }

    /// <summary>Of the lease for one hour.</summary>
    public required HourlyPrice Price { get; init; }

    /// <summary>Billable time since the grant, in microseconds.</summary>
    public required long BilledMicros { get; init; }

    /// <summary>Charged at the last settlement.</summary>
    public required Money Before { get; init; }

    /// <summary>Charged including this settlement, <c>floor(price × billed time)</c>; never less than <see cref="Before"/>.</summary>
    public required Money Total { get; init; }

    /// <summary>The server's clock at the settlement, UTC microseconds.</summary>
    public required long AtMicros { get; init; }

    /// <summary>True when the lease has ended.</summary>
    public required bool Final { get; init; }

    /// <summary>What this settlement charges.</summary>
    public Money Amount => Total - Before;
}
