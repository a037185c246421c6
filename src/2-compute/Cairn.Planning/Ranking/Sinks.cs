using Cairn.Contracts.Plans;

namespace Cairn.Planning.Ranking;

/// <summary>Counts candidates and keeps the best few, which is all that most readers of a plan look at.</summary>
internal struct TopSink(Evaluation evaluation, int limit) : IRankedSink
{
    private readonly List<Ranked> _best = new(limit * 2);
    private Ranked _worst;
    private bool _full;

    public int Count { get; private set; }

    public void Add(long total, int row, PriceModel model, int choice)
    {
        Count++;
        if (_full && total > _worst.Total)
            return;
        _best.Add(new Ranked(total, evaluation.LatencyOrder(row), evaluation.Columns.IdRank[row], row, model, choice));
        if (_best.Count == limit * 2)
            Trim();
    }

    /// <summary>The best, in order.</summary>
    public Ranked[] Best()
    {
        Trim();
        return [.. _best];
    }

    private void Trim()
    {
        _best.Sort();
        if (_best.Count < limit)
            return;
        _best.RemoveRange(limit, _best.Count - limit);
        _worst = _best[^1];
        _full = true;
    }
}

/// <summary>Keeps all.</summary>
internal readonly struct AllSink(Evaluation evaluation, List<Ranked> all) : IRankedSink
{
    public void Add(long total, int row, PriceModel model, int choice) =>
        all.Add(new Ranked(total, evaluation.LatencyOrder(row), evaluation.Columns.IdRank[row], row, model, choice));
}

/// <summary>Keeps the best of each group of rows.</summary>
internal readonly struct BestPerGroupSink(Evaluation evaluation, int[] groupOfPlace, Ranked?[] best) : IRankedSink
{
    public void Add(long total, int row, PriceModel model, int choice)
    {
        ref var held = ref best[groupOfPlace[evaluation.Columns.PlaceOf[row]]];
        if (held is { } h && h.Total < total)
            return;
        var ranked = new Ranked(total, evaluation.LatencyOrder(row), evaluation.Columns.IdRank[row], row, model, choice);
        if (held is null || ranked.CompareTo(held.Value) < 0)
            held = ranked;
    }
}
