using System.Collections;
using Cairn.Contracts.Plans;
using Cairn.Planning.Fit;

namespace Cairn.Planning.Ranking;

/// <summary>
/// The offers of a plan that are out, ordered by id, counted with the plan; which they are and why is worked out when somebody reads it. Safe to
/// read from many threads.
/// </summary>
internal sealed class RejectedOffers : IReadOnlyList<Rejection>
{
    private readonly Evaluation _evaluation;
    private readonly int _chosenTier;
    private readonly Lazy<int[]> _rows;

    /// <param name="chosenTier">The tier that the candidates are of; the last where there are none.</param>
    public RejectedOffers(Evaluation evaluation, int chosenTier, int count)
    {
        _evaluation = evaluation;
        _chosenTier = chosenTier;
        Count = count;
        _rows = new Lazy<int[]>(FindRows);
    }

    public int Count { get; }

    public Rejection this[int index]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfNegative(index);
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Count);
            var row = _rows.Value[index];
            return new Rejection(_evaluation.Snapshot.ById[_evaluation.Columns.IdRank[row]], Reasons(row));
        }
    }

    /// <summary>How many of the offers are out for each reason, by code; an offer with several reasons counts for each.</summary>
    public IReadOnlyDictionary<string, int> CountByCode()
    {
        var counts = new int[ReasonBitsCodes.Codes.Length];
        foreach (var row in _rows.Value)
        {
            for (var bits = (uint)Bits(row); bits != 0; bits &= bits - 1)
                counts[System.Numerics.BitOperations.TrailingZeroCount(bits)]++;
        }

        return Enumerable.Range(0, counts.Length).Where(i => counts[i] > 0).OrderByDescending(i => counts[i]).ThenBy(i => i)
            .ToDictionary(i => ReasonBitsCodes.Codes[i], i => counts[i], StringComparer.Ordinal);
    }

    public IEnumerator<Rejection> GetEnumerator()
    {
        for (var i = 0; i < Count; i++)
            yield return this[i];
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private int[] FindRows()
    {
        var rows = new List<int>(Count);
        foreach (var row in _evaluation.Columns.RowOfIdRank)
        {
            if (!_evaluation.Fits(_evaluation.Tiers[_chosenTier], row))
                rows.Add(row);
        }

        return [.. rows];
    }

    private bool IsLaterChoice(int row)
    {
        for (var tier = _chosenTier + 1; tier < _evaluation.Tiers.Length; tier++)
        {
            if (_evaluation.Fits(_evaluation.Tiers[tier], row))
                return true;
        }

        return false;
    }

    private ReasonBits Bits(int row)
    {
        if (IsLaterChoice(row))
            return ReasonBits.LaterChoice;
        var bits = ReasonBits.None;
        foreach (var choice in _evaluation.Tiers.SelectMany(t => t))
            bits |= RejectionText.Bits(_evaluation, choice, row);
        return bits;
    }

    private IReadOnlyList<Reason> Reasons(int row)
    {
        if (IsLaterChoice(row))
            return [new Reason(ReasonCodes.LaterChoice, "an earlier entry of `ordered` can be had")];
        var reasons = new List<Reason>();
        var seen = ReasonBits.None;
        var choices = _evaluation.Tiers.SelectMany(t => t).ToArray();
        for (var c = 0; c < choices.Length; c++)
        {
            var bits = RejectionText.Bits(_evaluation, choices[c], row) & ~seen;
            seen |= bits;
            foreach (var reason in RejectionText.Write(_evaluation, choices[c], row, bits))
                reasons.Add(choices.Length > 1 && RejectionText.DependsOnChoice(reason.Code)
                    ? reason with { Message = $"choice {c + 1}: {reason.Message}" }
                    : reason);
        }

        return reasons;
    }
}
