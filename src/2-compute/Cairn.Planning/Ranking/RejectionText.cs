using System.Numerics;
using Cairn.Contracts.Api;
using Cairn.Contracts.Plans;
using Cairn.Contracts.Units;
using Cairn.Contracts.Workloads;
using Cairn.Planning.Costs;
using Cairn.Planning.Fit;
using Cairn.Planning.Offers;

namespace Cairn.Planning.Ranking;

/// <summary>Says why an offer is out: what is needed, and what the offer has.</summary>
internal static class RejectionText
{
    /// <summary>All that speaks against the offer under one choice: what it is, and what its open price models cost.</summary>
    public static ReasonBits Bits(Evaluation evaluation, Choice choice, int row)
    {
        var bits = evaluation.Unmet(choice, row);
        for (var model = PriceModel.OnDemand; model <= PriceModel.Reserved; model++)
        {
            if (evaluation.IsOpen(choice, row, model))
                bits |= evaluation.Price(choice, row, model).Unmet;
        }

        return bits;
    }

    /// <summary>Whether another choice of resources could answer otherwise.</summary>
    public static bool DependsOnChoice(string code) => code is ReasonCodes.Accelerator or ReasonCodes.AcceleratorMemory
        or ReasonCodes.AcceleratorCount or ReasonCodes.Cpus or ReasonCodes.Memory or ReasonCodes.Disk or ReasonCodes.Interconnect
        or ReasonCodes.Labels or ReasonCodes.Preemptible or ReasonCodes.Region or ReasonCodes.Capacity or ReasonCodes.Price or ReasonCodes.Budget;

    public static IEnumerable<Reason> Write(Evaluation evaluation, Choice choice, int row, ReasonBits bits)
    {
        for (var rest = (uint)bits; rest != 0; rest &= rest - 1)
        {
            var bit = BitOperations.TrailingZeroCount(rest);
            yield return new Reason(ReasonBitsCodes.Codes[bit], Message(evaluation, choice, row, (ReasonBits)(1u << bit)));
        }
    }

    private static string Message(Evaluation evaluation, Choice choice, int row, ReasonBits bit)
    {
        var columns = evaluation.Columns;
        return bit switch
        {
            <= ReasonBits.Disk => OfShape(choice, columns.Shapes[columns.ShapeOf[row]], columns.Places[columns.PlaceOf[row]], bit),
            ReasonBits.Preemptible => "machines can be taken away there, and 'where.interruptible' does not allow it",
            <= ReasonBits.Trust => OfPlace(evaluation, choice, row, bit),
            _ => OfMoney(evaluation, choice, row, bit),
        };
    }

    private static string OfShape(Choice choice, Shape shape, Place place, ReasonBits bit)
    {
        var need = choice.Resources;
        var has = shape.Accelerators;
        return bit switch
        {
            ReasonBits.Accelerator => $"needs {Named(need.Accelerators!)}, has {has?.Name ?? "no accelerator"}",
            ReasonBits.AcceleratorMemory =>
                $"needs {InWords(need.Accelerators!.MemoryBytes)} per accelerator, {has!.Name} has {Words.Bytes(has.MemoryBytes)}",
            ReasonBits.AcceleratorCount =>
                $"needs {Words.Number(ShapeFit.LeastCount(need.Accelerators!))} accelerators in one machine, has {has!.Count}",
            ReasonBits.Cpus => $"needs {Words.Number(need.Cpus.Min ?? 0)} CPUs per node, has {Words.Number(shape.Cpus)}",
            ReasonBits.Memory => $"needs {Words.Bytes(need.MemoryBytes.Min ?? 0)} of memory per node, has {Words.Bytes(shape.MemoryBytes)}",
            _ => $"needs {Words.Bytes(need.DiskBytes)} of disk per node, {place.Provider} has {Words.Bytes(shape.DiskBytes)} per machine "
                + "and sells no more there",
        };
    }

    private static string OfPlace(Evaluation evaluation, Choice choice, int row, ReasonBits bit)
    {
        var where = evaluation.Workload.Where;
        var place = evaluation.Columns.Places[evaluation.Columns.PlaceOf[row]];
        var standing = evaluation.Columns.Standings[evaluation.Columns.StandingOf[row]];
        return bit switch
        {
            ReasonBits.Interconnect => $"needs {EnumWords.Of(choice.Resources.Interconnect)} between nodes, has {EnumWords.Of(standing.Interconnect)}",
            ReasonBits.Labels => LabelText(choice.Resources, standing),
            ReasonBits.DeploymentModel => $"needs deployment model {Any(where.DeploymentModels.Select(EnumWords.Of))}, is {EnumWords.Of(place.DeploymentModel)}",
            ReasonBits.Provider => $"needs provider {Any(where.Providers)}, is {place.Provider}",
            ReasonBits.Region => $"needs region {Any(choice.Regions)}, is {place.Provider}/{place.Region.Name}",
            ReasonBits.Residency => $"needs to stay in {Any(where.Residency)}, is in {OrUnknown(place.Region.Country)}",
            ReasonBits.Certification => $"needs {string.Join(", ", PlaceNeeds.Missing(where, standing))}, has "
                + (standing.Certifications.Count == 0 ? "no certification" : string.Join(", ", standing.Certifications)),
            ReasonBits.Latency => LatencyText(where.Latency!, place),
            ReasonBits.Availability => $"needs {where.AvailabilityPercent} % availability, promises "
                + (standing.AvailabilityPercent > 0 ? $"{standing.AvailabilityPercent} %" : "none"),
            ReasonBits.Offline => "needs to go on without a network, depends on one",
            _ => $"needs trust {EnumWords.Of(where.Trust)}, has {EnumWords.Of(standing.Trust)}",
        };
    }

    private static string OfMoney(Evaluation evaluation, Choice choice, int row, ReasonBits bit)
    {
        if (bit == ReasonBits.Capacity)
            return $"needs {evaluation.Time.Machines} {(evaluation.Time.Machines == 1 ? "node" : "nodes")}, has "
                + $"{(long)evaluation.Capacity(row) * choice.Shapes[evaluation.Columns.ShapeOf[row]].NodesPerMachine}";
        var (model, quote) = Nearest(evaluation, choice, row, bit);
        var money = evaluation.Workload.Money;
        var bill = evaluation.Bill(row, model);
        return bit switch
        {
            ReasonBits.Price => $"needs at most {new HourlyPrice(choice.MaxNodePrice)} per node, costs {new HourlyPrice(quote.Node)} {Words.Of(model)}",
            ReasonBits.Budget => $"needs at most {money.Budget} in all, costs {new Money(quote.Total)} {Words.Of(model)}",
            ReasonBits.Deadline => $"needs to end within {Words.Time(money.DeadlineSeconds!.Value)}, takes "
                + $"{Words.Time(bill.Occupied + evaluation.TransferSeconds(row))} {Words.Of(model)}",
            _ => $"machines are lost so often ({Words.Of(model)}) that {Words.Time(evaluation.Time.Seconds)} of work with a checkpoint every "
                + $"{Words.Time(evaluation.Time.CheckpointSeconds)} is not expected to end",
        };
    }

    /// <summary>The price model that comes nearest among those that the reason speaks against.</summary>
    private static (PriceModel Model, Quote Quote) Nearest(Evaluation evaluation, Choice choice, int row, ReasonBits bit)
    {
        (PriceModel Model, Quote Quote)? nearest = null;
        for (var model = PriceModel.OnDemand; model <= PriceModel.Reserved; model++)
        {
            if (!evaluation.IsOpen(choice, row, model))
                continue;
            var quote = evaluation.Price(choice, row, model);
            if ((quote.Unmet & bit) != 0 && (nearest is null || Key(quote) < Key(nearest.Value.Quote)))
                nearest = (model, quote);
        }

        return nearest!.Value;

        long Key(Quote quote) => bit == ReasonBits.Price ? quote.Node : quote.Total;
    }

    private static string LabelText(ResourceSpec need, Standing standing) => string.Join("; ", need.NodeLabels
        .Where(l => standing.Labels.GetValueOrDefault(l.Key) != l.Value)
        .Select(l => $"needs label {l.Key}={l.Value}, has {(standing.Labels.TryGetValue(l.Key, out var has) ? $"{l.Key}={has}" : "no such label")}"));

    private static string LatencyText(LatencySpec need, Place place)
    {
        if (place.Region.Point is null)
            return $"needs {Words.Number(need.MaxMs)} ms from {Any(need.From.Select(f => f.Name))}, where {place.Region.Name} stands is unknown";
        var worst = need.From.MaxBy(f => PlaceNeeds.LatencyMs(need with { From = [f] }, place))!;
        return $"needs {Words.Number(need.MaxMs)} ms from {worst.Name}, is {PlaceNeeds.LatencyMs(need, place):0.0} ms away";
    }

    private static string Named(AcceleratorSpec need) =>
        need.Names.Count > 0 ? Any(need.Names) : need.Vendor is { } vendor ? $"an accelerator by {vendor}" : "an accelerator";

    private static string InWords(Range<long> bytes) => (bytes.Min, bytes.Max) switch
    {
        ({ } min, null) => $"at least {Words.Bytes(min)}",
        (null, { } max) => $"at most {Words.Bytes(max)}",
        var (min, max) => $"{Words.Bytes(min ?? 0)} to {Words.Bytes(max ?? 0)}",
    };

    private static string Any<T>(IEnumerable<T> items) => string.Join(" or ", items);

    private static string OrUnknown(string country) => country.Length > 0 ? country : "an unknown country";
}
