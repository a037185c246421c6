using Cairn.Contracts.Ids;
using Cairn.Contracts.Problems;
using Cairn.Contracts.Units;
using Cairn.Fleet.Leasing;
using Cairn.Fleet.Nodes;
using Cairn.Market.Funds;
using Cairn.State;

namespace Cairn.Server.Ports;

/// <summary>Fleet's question about money, answered by the market's ledger.</summary>
internal sealed class FundsHold(JobFunds funds, NodeBoard nodes) : IFundsHold
{
    // A node that was removed while its last lease settles still earned it.
    private static readonly NodeStandpoint s_removed = new("a removed node", "unknown", "unknown", Simulated: false);

    public Problem? Hold(WriteSession session, JobId job, ProjectId project, Money unspent) => funds.Hold(session, job, project, unspent);

    public void Settle(WriteSession session, IReadOnlyList<LeaseUsage> usages) => funds.Settle(session, [.. usages.Select(Usage)]);

    public void Close(WriteSession session, IReadOnlyList<JobId> jobs) => funds.Close(session, jobs);

    private Usage Usage(LeaseUsage usage)
    {
        var node = nodes.Find(usage.NodeId) ?? s_removed;
        return new Usage
        {
            Lease = usage.LeaseId,
            Job = usage.JobId,
            Project = usage.ProjectId,
            Kind = ChargeKind.Compute,
            Provider = node.Provider,
            Region = node.Region,
            Description = $"{node.Name} in {node.Region}",
            UnitPrice = new Money(usage.Price.MicrosPerHour),
            Quantity = usage.BilledMicros,
            Total = usage.Total,
            AtMicros = usage.AtMicros,
            Simulated = node.Simulated,
        };
    }
}
