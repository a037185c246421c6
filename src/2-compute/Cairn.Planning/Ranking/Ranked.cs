using Cairn.Contracts.Plans;

namespace Cairn.Planning.Ranking;

/// <summary>A candidate before anybody reads it: which offer, how, and what it costs.</summary>
internal readonly record struct Ranked(long Total, double LatencyMs, int IdRank, int Row, PriceModel Model, int Choice) : IComparable<Ranked>
{
    /// <summary>Cheapest first; then nearest, then by id, then by the order of price models. Total, so that nothing depends on input order.</summary>
    public int CompareTo(Ranked other)
    {
        var order = Total.CompareTo(other.Total);
        if (order == 0)
            order = LatencyMs.CompareTo(other.LatencyMs);
        if (order == 0)
            order = IdRank.CompareTo(other.IdRank);
        return order != 0 ? order : Model.CompareTo(other.Model);
    }
}

/// <summary>What a scan over offers hands its candidates to.</summary>
internal interface IRankedSink
{
    void Add(long total, int row, PriceModel model, int choice);
}
