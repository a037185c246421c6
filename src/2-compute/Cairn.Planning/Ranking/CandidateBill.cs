using Cairn.Contracts.Plans;
using Cairn.Contracts.Units;
using Cairn.Planning.Costs;
using Cairn.Planning.Fit;

namespace Cairn.Planning.Ranking;

/// <summary>
/// Writes a ranked candidate out: the same amounts that ranked it, as items with their arithmetic in words. Time is billed as one floor over all of
/// it; each item is the difference of two such floors, so that the items of time add up to it exactly.
/// </summary>
internal static class CandidateBill
{
    public static Candidate Write(Evaluation evaluation, Choice[] choices, in Ranked ranked)
    {
        var choice = choices[ranked.Choice];
        var row = ranked.Row;
        var offer = evaluation.Snapshot.ById[ranked.IdRank];
        var quote = evaluation.Price(choice, row, ranked.Model);
        var bill = evaluation.Bill(row, ranked.Model);
        var items = new List<CostItem>(6);
        TimeItems(items, evaluation, quote, bill);
        StorageItems(items, evaluation, choice, row, bill);
        DataItems(items, evaluation, row);
        FeeItem(items, evaluation, row, Amounts.OfTime(quote.Hourly, bill.Billed));
        items.Sort(static (a, b) => a.Kind.CompareTo(b.Kind));
        return new Candidate
        {
            Offer = offer,
            PriceModel = ranked.Model,
            Machines = evaluation.Time.Machines,
            AcceleratorsPerMachine = choice.Shapes[evaluation.Columns.ShapeOf[row]].AcceleratorsUsed,
            Hourly = new HourlyPrice(quote.Hourly),
            Total = new Money(ranked.Total),
            Items = items,
            ExpectedSeconds = bill.Occupied + evaluation.TransferSeconds(row),
            LatencyMs = evaluation.LatencyMs(row),
        };
    }

    private static void TimeItems(List<CostItem> items, Evaluation evaluation, in Quote quote, in TimeBill bill)
    {
        var machines = evaluation.Time.Machines;
        var rate = $"{machines} × {{0}} at {new HourlyPrice(machines == 1 ? quote.Hourly : quote.Node)}";
        var worked = Amounts.OfTime(quote.Hourly, bill.Work);
        var booted = Amounts.OfTime(quote.Hourly, bill.Work + bill.Boot);
        var lost = Amounts.OfTime(quote.Hourly, bill.Work + bill.Boot + bill.Lost);
        var billed = Amounts.OfTime(quote.Hourly, bill.Billed);
        var busy = Amounts.MulDiv(worked, evaluation.Time.BusyMillionths, 1_000_000);
        Add(items, CostKind.Compute, busy, string.Format(null, rate, Words.Hours(bill.Work * (evaluation.Time.BusyMillionths / 1e6))));
        Add(items, CostKind.Idle, worked - busy,
            $"idle {Words.Number(100 - evaluation.Time.BusyMillionths / 1e4)} % of {Words.Hours(bill.Work)}");
        Add(items, CostKind.Boot, booted - worked, string.Format(null, rate, Words.Time(bill.Boot)) + " while booting");
        Add(items, CostKind.Interruption, lost - booted,
            $"{Words.Number(bill.Interruptions)} expected interruptions repeat {Words.Time(bill.Lost)} per machine");
        Add(items, CostKind.BillingMinimum, billed - lost,
            $"{Words.Time(bill.Billed - bill.Work - bill.Boot - bill.Lost)} per machine up to the billed {Words.Time(bill.Billed)}");
    }

    private static void StorageItems(List<CostItem> items, Evaluation evaluation, Choice choice, int row, in TimeBill bill)
    {
        var place = evaluation.Columns.Places[evaluation.Columns.PlaceOf[row]];
        var price = new Money(place.StorageMicros);
        var diskGigabytes = choice.Shapes[evaluation.Columns.ShapeOf[row]].ExtraDiskGigabytes;
        Add(items, CostKind.Disk, Amounts.OfStorage(diskGigabytes * evaluation.Time.Machines, place.StorageMicros, bill.Occupied),
            $"{evaluation.Time.Machines} × {diskGigabytes} GB for {Words.Hours(bill.Occupied)} at {price}/GB-month");
        Add(items, CostKind.CheckpointStorage, Amounts.OfStorage(evaluation.CheckpointGigabytes, place.StorageMicros, bill.Occupied),
            $"{evaluation.CheckpointGigabytes} GB for {Words.Hours(bill.Occupied)} at {price}/GB-month");
    }

    private static void DataItems(List<CostItem> items, Evaluation evaluation, int row)
    {
        var place = evaluation.Columns.Places[evaluation.Columns.PlaceOf[row]];
        var data = evaluation.Flows.At(place);
        if ((data.Input | data.Output) != 0)
        {
            var details = evaluation.Flows.Detail(place).Where(d => d.Amount > 0).ToLookup(d => d.Input, d => d.Detail);
            Add(items, CostKind.InputTransfer, data.Input, string.Join("; ", details[true]));
            Add(items, CostKind.OutputTransfer, data.Output, string.Join("; ", details[false]));
        }

        if (data.NodeTraffic != 0)
            Add(items, CostKind.NodeTraffic, data.NodeTraffic, evaluation.Flows.NodeTrafficDetail(place));
    }

    private static void FeeItem(List<CostItem> items, Evaluation evaluation, int row, long compute)
    {
        if (evaluation.FeeOf(evaluation.Columns.Places[evaluation.Columns.PlaceOf[row]]) is { } fee)
            Add(items, CostKind.Fee, Amounts.MulDiv(compute, fee.BasisPoints, 10_000), $"{fee.Name}: {Words.Number(fee.BasisPoints / 100.0)} %");
    }

    private static void Add(List<CostItem> items, CostKind kind, long micros, string detail)
    {
        if (micros != 0)
            items.Add(new CostItem(kind, new Money(micros), detail));
    }
}
