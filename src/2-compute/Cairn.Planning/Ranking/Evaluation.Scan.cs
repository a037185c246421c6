using Cairn.Contracts.Plans;
using Cairn.Planning.Fit;

namespace Cairn.Planning.Ranking;

// Goes through every offer of the snapshot: the loop in which a plan spends its time.
internal sealed partial class Evaluation
{
    /// <summary>Hands every candidate of a tier to the sink, at most one per offer and price model: its cheapest choice.</summary>
    /// <returns>How many offers have a candidate.</returns>
    public int Scan<TSink>(Choice[] choices, ref TSink sink) where TSink : IRankedSink
    {
        var offers = 0;
        Span<int> fitting = choices.Length <= 64 ? stackalloc int[choices.Length] : new int[choices.Length];
        for (var shape = 0; shape < Columns.Shapes.Length; shape++)
        {
            var count = 0;
            for (var c = 0; c < choices.Length; c++)
            {
                if (choices[c].Shapes[shape].Unmet == ReasonBits.None)
                    fitting[count++] = c;
            }

            if (count > 0)
                offers += ScanShape(choices, fitting[..count], shape, ref sink);
        }

        return offers;
    }

    private int ScanShape<TSink>(Choice[] choices, ReadOnlySpan<int> fitting, int shape, ref TSink sink) where TSink : IRankedSink
    {
        var offers = 0;
        var end = Columns.ShapeStart[shape + 1];
        var only = fitting.Length == 1 ? choices[fitting[0]] : null;
        for (var row = Columns.ShapeStart[shape]; row < end; row++)
        {
            if ((_placeUnmet[Columns.PlaceOf[row]] | _standingUnmet[Columns.StandingOf[row]]) != ReasonBits.None)
                continue;
            if (only is null ? ScanRow(choices, fitting, row, ref sink) : ScanRow(only, fitting[0], row, ref sink))
                offers++;
        }

        return offers;
    }

    /// <summary>One choice: what the other overload does, without comparing.</summary>
    private bool ScanRow<TSink>(Choice choice, int number, int row, ref TSink sink) where TSink : IRankedSink
    {
        if (UnmetOfRow(choice, choice.Shapes[Columns.ShapeOf[row]], row) != ReasonBits.None)
            return false;
        var found = false;
        for (var model = PriceModel.OnDemand; model <= PriceModel.Reserved; model++)
        {
            if (!IsOpen(choice, row, model))
                continue;
            var quote = Price(choice, row, model);
            if (quote.Unmet != ReasonBits.None)
                continue;
            sink.Add(quote.Total, row, model, number);
            found = true;
        }

        return found;
    }

    private bool ScanRow<TSink>(Choice[] choices, ReadOnlySpan<int> fitting, int row, ref TSink sink) where TSink : IRankedSink
    {
        var found = false;
        for (var model = PriceModel.OnDemand; model <= PriceModel.Reserved; model++)
        {
            var best = long.MaxValue;
            var bestChoice = -1;
            foreach (var c in fitting)
            {
                var choice = choices[c];
                if (!IsOpen(choice, row, model) || UnmetOfRow(choice, choice.Shapes[Columns.ShapeOf[row]], row) != ReasonBits.None)
                    continue;
                var quote = Price(choice, row, model);
                if (quote.Unmet != ReasonBits.None || quote.Total >= best)
                    continue;
                best = quote.Total;
                bestChoice = c;
            }

            if (bestChoice < 0)
                continue;
            sink.Add(best, row, model, bestChoice);
            found = true;
        }

        return found;
    }
}
