using Cairn.Contracts.Plans;
using Cairn.Contracts.Workloads;
using Cairn.Planning.Costs;
using Cairn.Planning.Fit;
using Cairn.Planning.Offers;

namespace Cairn.Planning.Ranking;

/// <summary>
/// One workload asked of one snapshot. Every question is answered once per distinct place, standing, machine size and terms; what is left
/// per offer is to combine the answers and to add up its cost. Immutable once made, and kept by the lists of a plan, which answer from it
/// when read.
/// </summary>
internal sealed partial class Evaluation
{
    /// <summary>Terms beyond this many are billed when asked rather than kept: there the offers hardly share any.</summary>
    private const int MaxKeptTerms = 400;

    private static readonly PriceModel[] s_models = [PriceModel.OnDemand, PriceModel.Spot, PriceModel.Reserved];

    // By number of the place. Small arrays side by side: they stay out of the large object heap, whose collections a plan would feel.
    private readonly ReasonBits[] _placeUnmet;
    private readonly long[] _dataCost;
    private readonly long[] _transferSeconds;
    private readonly int[]? _feeBasisPoints;
    private readonly double[]? _latencyMs;

    private readonly ReasonBits[] _standingUnmet;
    private readonly int[] _capacity;
    private readonly TimeBill[]? _bills;
    private readonly long _budget;
    private readonly long _deadlineSeconds;

    public Evaluation(WorkloadSpec workload, OfferSnapshot offers, PlanningContext context, bool certain = false)
    {
        Workload = workload;
        Snapshot = offers;
        Context = context;
        var columns = offers.Columns;
        var time = WorkTime.Of(workload, certain);
        Time = time;
        Flows = DataFlows.Of(workload, Time, columns, context);
        Tiers = Choice.Tiers(workload, columns);
        CheckpointGigabytes = Amounts.WholeGigabytes(Math.Max(0, workload.Checkpoints?.SizeBytes ?? 0));
        _budget = workload.Money.Budget?.Micros ?? long.MaxValue;
        _deadlineSeconds = workload.Money.DeadlineSeconds ?? long.MaxValue;
        _latencyMs = workload.Where.Latency is { } latency
            ? Array.ConvertAll(columns.Places, p => PlaceNeeds.LatencyMs(latency, p))
            : null;
        _placeUnmet = new ReasonBits[columns.Places.Length];
        _dataCost = new long[columns.Places.Length];
        _transferSeconds = new long[columns.Places.Length];
        for (var p = 0; p < _placeUnmet.Length; p++)
        {
            _placeUnmet[p] = PlaceNeeds.Unmet(workload.Where, columns.Places[p], _latencyMs?[p] ?? 0);
            var data = Flows.At(columns.Places[p]);
            _dataCost[p] = data.Input + data.Output + data.NodeTraffic;
            _transferSeconds[p] = data.TransferSeconds;
        }

        _feeBasisPoints = context.Fees.Count == 0 ? null : Array.ConvertAll(columns.Places, p => FeeOf(p)?.BasisPoints ?? 0);
        _standingUnmet = Array.ConvertAll(columns.Standings, s => PlaceNeeds.Unmet(workload.Where, s));
        _capacity = CapacityWith(context.FreeMachines, offers);
        if (columns.Terms.Length <= MaxKeptTerms)
            _bills = [.. columns.Terms.SelectMany(t => s_models.Select(m => TimeBill.Of(time, t, m)))];
    }

    public WorkloadSpec Workload { get; }

    public OfferSnapshot Snapshot { get; }

    public PlanningContext Context { get; }

    public WorkTime Time { get; }

    public DataFlows Flows { get; }

    public Choice[][] Tiers { get; }

    public long CheckpointGigabytes { get; }

    public SnapshotColumns Columns => Snapshot.Columns;

    public double? LatencyMs(int row) => _latencyMs?[Columns.PlaceOf[row]];

    /// <summary>The place's latency for ordering; the same for all where the workload names none.</summary>
    public double LatencyOrder(int row) => _latencyMs is null ? 0 : _latencyMs[Columns.PlaceOf[row]];

    public long TransferSeconds(int row) => _transferSeconds[Columns.PlaceOf[row]];

    public int Capacity(int row) => _capacity[row];

    public FeeRule? FeeOf(Place place) => Context.Fees.FirstOrDefault(f =>
        (f.DeploymentModel is null || f.DeploymentModel == place.DeploymentModel)
        && (f.Provider is null || f.Provider.Equals(place.Provider, StringComparison.OrdinalIgnoreCase)));

    public TimeBill Bill(int row, PriceModel model)
    {
        var terms = Columns.TermsOf[row];
        return _bills is null ? TimeBill.Of(Time, Columns.Terms[terms], model) : _bills[terms * s_models.Length + (int)model];
    }

    /// <summary>Whether the offer is a candidate of the tier in any way.</summary>
    public bool Fits(Choice[] choices, int row)
    {
        foreach (var choice in choices)
        {
            if (Unmet(choice, row) != ReasonBits.None)
                continue;
            foreach (var model in s_models)
            {
                if (IsOpen(choice, row, model) && Price(choice, row, model).Unmet == ReasonBits.None)
                    return true;
            }
        }

        return false;
    }

    /// <summary>All that speaks against an offer before its price.</summary>
    public ReasonBits Unmet(Choice choice, int row)
    {
        var place = Columns.PlaceOf[row];
        ref readonly var fit = ref choice.Shapes[Columns.ShapeOf[row]];
        return _placeUnmet[place] | _standingUnmet[Columns.StandingOf[row]] | fit.Unmet | UnmetOfRow(choice, fit, row);
    }

    /// <summary>
    /// Whether the price can be had at all: spot only by leave; reserved only where the work lasts at least the term, since a term is paid
    /// whole.
    /// </summary>
    public bool IsOpen(Choice choice, int row, PriceModel model) => model switch
    {
        PriceModel.OnDemand => true,
        PriceModel.Spot => choice.Interruptible && Columns.Spot[row] != SnapshotColumns.None,
        _ => Columns.Reserved[row] != SnapshotColumns.None && Columns.Terms[Columns.TermsOf[row]].ReservedTermSeconds is var term
            && term > 0 && term <= Time.Seconds,
    };

    /// <summary>The whole bill, and what speaks against it. An offer that does not fit is priced as a whole machine per node.</summary>
    public Quote Price(Choice choice, int row, PriceModel model)
    {
        var place = Columns.PlaceOf[row];
        var shape = Columns.ShapeOf[row];
        ref readonly var fit = ref choice.Shapes[shape];
        var parts = Columns.Shapes[shape].Parts;
        var machine = PriceOf(row, model);
        var node = parts == 1 ? machine : Amounts.MulDiv(machine, fit.Rented, parts);
        var hourly = parts == 1 ? Amounts.MulDiv(machine, Time.Machines, 1) : Amounts.MulDiv(machine, (long)fit.Rented * Time.Machines, parts);
        var unmet = node > choice.MaxNodePrice ? ReasonBits.Price : ReasonBits.None;
        if (_bills is { } bills)
            return Add(unmet, node, hourly, place, fit.ExtraDiskGigabytes, bills[Columns.TermsOf[row] * s_models.Length + (int)model]);
        return Add(unmet, node, hourly, place, fit.ExtraDiskGigabytes, TimeBill.Of(Time, Columns.Terms[Columns.TermsOf[row]], model));
    }

    private Quote Add(ReasonBits unmet, long node, long hourly, int place, long extraDiskGigabytes, in TimeBill bill)
    {
        if (bill.Hopeless)
            return new Quote(unmet | ReasonBits.Interruption, Amounts.Cap, hourly, node);
        var compute = Amounts.OfTime(hourly, bill.Billed);
        var total = compute + _dataCost[place];
        if ((extraDiskGigabytes | CheckpointGigabytes) != 0)
        {
            var storage = Columns.StorageMicros[place];
            total += Amounts.OfStorage(extraDiskGigabytes * Time.Machines, storage, bill.Occupied)
                + Amounts.OfStorage(CheckpointGigabytes, storage, bill.Occupied);
        }

        if (_feeBasisPoints is { } fees)
            total += Amounts.MulDiv(compute, fees[place], 10_000);
        if (total > _budget)
            unmet |= ReasonBits.Budget;
        if (bill.Occupied + _transferSeconds[place] > _deadlineSeconds)
            unmet |= ReasonBits.Deadline;
        return new Quote(unmet, total, hourly, node);
    }

    private ReasonBits UnmetOfRow(Choice choice, in ShapeFit fit, int row)
    {
        var place = Columns.PlaceOf[row];
        var unmet = choice.Standings is { } standings ? standings[Columns.StandingOf[row]] : ReasonBits.None;
        if (choice.InRegions is { } inRegions && !inRegions[place])
            unmet |= ReasonBits.Region;
        if (fit.ExtraDiskGigabytes > 0 && Columns.StorageMicros[place] == 0)
            unmet |= ReasonBits.Disk;
        if (!Time.Certain && _capacity[row] is var capacity and >= 0 && (long)capacity * fit.NodesPerMachine < Time.Machines)
            unmet |= ReasonBits.Capacity;
        return unmet;
    }

    private long PriceOf(int row, PriceModel model) => model switch
    {
        PriceModel.OnDemand => Columns.OnDemand[row],
        PriceModel.Spot => Columns.Spot[row],
        _ => Columns.Reserved[row],
    };

    private static int[] CapacityWith(IReadOnlyDictionary<string, int> free, OfferSnapshot offers)
    {
        if (free.Count == 0)
            return offers.Columns.Capacity;
        var capacity = (int[])offers.Columns.Capacity.Clone();
        foreach (var (id, machines) in free)
        {
            var rank = offers.RankOf(id);
            if (rank >= 0)
                capacity[offers.Columns.RowOfIdRank[rank]] = Math.Max(0, machines);
        }

        return capacity;
    }
}
