using System.Collections;
using Cairn.Contracts.Plans;
using Cairn.Planning.Fit;

namespace Cairn.Planning.Ranking;

/// <summary>
/// The candidates of a plan, best first. The first few are ranked with the plan; the rest are ranked when somebody reads that far, and each is
/// written out when it is read. Safe to read from many threads.
/// </summary>
internal sealed class RankedCandidates : IReadOnlyList<Candidate>
{
    private readonly Evaluation _evaluation;
    private readonly Choice[] _choices;
    private readonly Ranked[] _first;
    private readonly Candidate?[] _written;
    private readonly Lazy<Ranked[]> _all;

    public RankedCandidates(Evaluation evaluation, Choice[] choices, Ranked[] first, int count)
    {
        _evaluation = evaluation;
        _choices = choices;
        _first = first;
        _written = new Candidate?[first.Length];
        Count = count;
        _all = new Lazy<Ranked[]>(RankAll);
    }

    public int Count { get; }

    public Candidate this[int index]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfNegative(index);
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Count);
            if (index >= _first.Length)
                return CandidateBill.Write(_evaluation, _choices, _all.Value[index]);
            return _written[index] ??= CandidateBill.Write(_evaluation, _choices, _first[index]);
        }
    }

    public IEnumerator<Candidate> GetEnumerator()
    {
        for (var i = 0; i < Count; i++)
            yield return this[i];
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private Ranked[] RankAll()
    {
        var all = new List<Ranked>(Count);
        var sink = new AllSink(_evaluation, all);
        _evaluation.Scan(_choices, ref sink);
        var ranked = all.ToArray();
        Array.Sort(ranked);
        return ranked;
    }
}
