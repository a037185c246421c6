using Cairn.Fleet.Leasing;
using Cairn.Fleet.Limits;
using Cairn.Fleet.Nodes;
using Cairn.Fleet.Placement;
using Cairn.Fleet.Recovery;
using Cairn.Fleet.Reports;
using Cairn.Fleet.Secrets;
using Cairn.State;

namespace Cairn.Fleet.Jobs;

/// <summary>The parts of the fleet that share the one copy of the live jobs. Only the reconciler's thread of work calls them.</summary>
internal sealed class FleetParts
{
    public FleetParts(
        Store store, FleetNodes nodes, JobBoard board, IFundsHold funds, SecretSeal seal, PlacePlans plans, FleetOptions options,
            TimeProvider time)
    {
        (Store, Nodes, Board, Funds, Time) = (store, nodes, board, funds, time);
        Sight = new NodeSight(nodes, time, options.LeaseSeconds);
        Queue = new PlacementQueue();
        Limits = new LimitWatch(board);
        Life = new JobLife(board, Queue, Limits);
        Replans = new WaitingReplans(board, Queue, plans);
        Recovery = new GangRecovery(Life, Queue, Replans, Sight);
        Barrier = new GangBarrier(nodes);
        Reports = new TaskReports(board, Life, Recovery, Barrier);
        Placement = new PlacementRound(board, Queue, nodes, Limits);
        Metering = new Metering(board, Sight, options.MeterInterval);
        Starts = new StartMessages(store, seal, Barrier, Sight, time);
    }

    public Store Store { get; }

    public FleetNodes Nodes { get; }

    public JobBoard Board { get; }

    public IFundsHold Funds { get; }

    public TimeProvider Time { get; }

    public NodeSight Sight { get; }

    public PlacementQueue Queue { get; }

    public LimitWatch Limits { get; }

    public JobLife Life { get; }

    public GangRecovery Recovery { get; }

    public GangBarrier Barrier { get; }

    public TaskReports Reports { get; }

    public PlacementRound Placement { get; }

    public Metering Metering { get; }

    public WaitingReplans Replans { get; }

    public StartMessages Starts { get; }

    /// <summary>Forgets everything, to be filled from rows.</summary>
    public void Clear()
    {
        Board.Clear();
        Queue.Clear();
        Limits.Clear();
        Reports.Clear();
    }
}
