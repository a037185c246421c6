using Cairn.Contracts.Ids;
using Cairn.Contracts.Problems;
using Cairn.Contracts.Units;
using Cairn.Fleet.Leasing;
using Cairn.Fleet.Nodes;
using Cairn.Fleet.Outputs;
using Cairn.Market.Funds;
using Cairn.State;

namespace Cairn.Server.Ports;

/// <summary>Fleet's question about money, answered by the market's ledger.</summary>
internal sealed class FundsHold(JobFunds funds, NodeBoard nodes) : IFundsHold
{
    private const long BytesPerGigabyte = 1_000_000_000;

    public Problem? Hold(WriteSession session, JobId job, ProjectId project, Money unspent) => funds.Hold(session, job, project, unspent);

    public void Settle(WriteSession session, IReadOnlyList<LeaseUsage> usages) => funds.Settle(session, [.. usages.Select(Compute)]);

    /// <summary>Charges what left the nodes, then gives back the rest: outputs are all collected when a job ends.</summary>
    public void Close(WriteSession session, IReadOnlyList<JobId> jobs)
    {
        foreach (var job in jobs)
        {
            var egress = DataLeft.Of(session, job).Select(left => Egress(session, job, left)).OfType<Usage>().ToList();
            if (egress.Count > 0)
                funds.Settle(session, egress);
        }

        funds.Close(session, jobs);
    }

    private static Usage Compute(LeaseUsage usage) => new()
    {
        Lease = usage.LeaseId,
        Job = usage.JobId,
        Project = usage.ProjectId,
        Kind = ChargeKind.Compute,
        Provider = usage.Provider,
        Region = usage.Region,
        Description = $"rank {usage.Rank} on {usage.Node}" + (usage.Attempt > 1 ? $", attempt {usage.Attempt}" : ""),
        UnitPrice = new Money(usage.Price.MicrosPerHour),
        Quantity = usage.BilledMicros,
        Total = usage.Total,
        AtMicros = usage.AtMicros,
        Simulated = usage.Simulated,
    };

    /// <summary>At the first rung of the place's ladder; null where leaving is free.</summary>
    private Usage? Egress(WriteSession session, JobId job, DataLeft left)
    {
        var price = nodes.EgressOf(left.Node).Internet is [var first, ..] ? first.PerGigabyte : Money.Zero;
        if (price == Money.Zero || left.Bytes == 0)
            return null;
        return new Usage
        {
            Lease = left.Lease,
            Job = job,
            Project = left.Project,
            Kind = ChargeKind.Egress,
            Provider = left.Provider,
            Region = left.Region,
            Description = $"outputs from {left.NodeName}",
            UnitPrice = price,
            Quantity = left.Bytes,
            Total = new Money((long)((Int128)price.Micros * left.Bytes / BytesPerGigabyte)),
            AtMicros = session.NowMicros,
        };
    }
}
