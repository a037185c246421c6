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

/// <summary>Keeps the best of each group of places.</summary>
internal readonly struct BestPerGroupSink : IRankedSink
{
    private readonly Evaluation _evaluation;
    private readonly int[]? _groupOfPlace;
    private readonly long[] _least;
    private readonly Ranked[] _best;

    /// <param name="groupOfPlace">By number of the place, from 0; null makes each place a group.</param>
    public BestPerGroupSink(Evaluation evaluation, int[]? groupOfPlace)
    {
        _evaluation = evaluation;
        _groupOfPlace = groupOfPlace;
        _best = new Ranked[evaluation.Columns.Places.Length];
        _least = new long[_best.Length];
        Array.Fill(_least, long.MaxValue);
    }

    public void Add(long total, int row, PriceModel model, int choice)
    {
        var place = _evaluation.Columns.PlaceOf[row];
        var group = _groupOfPlace is null ? place : _groupOfPlace[place];
        if (total > _least[group])
            return;
        var ranked = new Ranked(total, _evaluation.LatencyOrder(row), _evaluation.Columns.IdRank[row], row, model, choice);
        if (total == _least[group] && ranked.CompareTo(_best[group]) >= 0)
            return;
        _least[group] = total;
        _best[group] = ranked;
    }

    /// <summary>One for each group that has any, in the order of groups.</summary>
    public Ranked[] Best()
    {
        var least = _least;
        return [.. _best.Where((_, group) => least[group] != long.MaxValue)];
    }
}

/// <summary>Hands each candidate to two.</summary>
internal struct BothSinks(TopSink top, BestPerGroupSink perPlace) : IRankedSink
{
    public TopSink Top = top;

    public readonly BestPerGroupSink PerPlace = perPlace;

    public void Add(long total, int row, PriceModel model, int choice)
    {
        Top.Add(total, row, model, choice);
        PerPlace.Add(total, row, model, choice);
    }
}
