using Cairn.Contracts.Ids;
using Cairn.Contracts.Units;
using Cairn.Serving.Gateway.Calls;
using Cairn.Serving.Gateway.Limits;
using Cairn.Serving.Gateway.Snapshots;
using Cairn.Serving.Gateways;
using Cairn.Serving.Usage;

namespace Cairn.Serving.Alone;

/// <summary>One thing that happened to a backlog; what the journal keeps. One of its members is set.</summary>
internal sealed record BacklogEntry
{
    /// <summary>Everything, in place of what was before.</summary>
    public BacklogWhole? Whole { get; init; }

    /// <summary>Requests ended. The sequence is not used.</summary>
    public UsageReport? Used { get; init; }

    /// <summary>This usage is on its way to the server, under its sequence for good.</summary>
    public UsageReport? Sent { get; init; }

    /// <summary>The server answered.</summary>
    public ReportReply? Replied { get; init; }

    /// <summary>Borrowed money is not spent here any more.</summary>
    public SliceReturn? Returned { get; init; }
}

internal sealed record BacklogWhole(long Sequence, UsageReport? Sent, IReadOnlyList<UsageReport> Waiting, IReadOnlyList<SliceView> Slices);

/// <summary>
/// What a gateway owes its server: usage that the server does not have, and money that it lent. A function of its entries alone: who applies them again has the same
/// backlog. While the server is away usage is summed per hour, so it grows with subjects and hours and not with requests. Not for concurrent use.
/// </summary>
internal sealed class Backlog
{
    private readonly SortedDictionary<DateTimeOffset, Dictionary<UsageSubject, UsageSum>> _hours = [];
    private readonly Dictionary<(PurseId, BudgetPeriod), SliceView> _slices = [];

    public long Sequence { get; private set; }

    /// <summary>Sent, and not known to have been taken.</summary>
    public UsageReport? Sent { get; private set; }

    public IReadOnlyCollection<SliceView> Slices => _slices.Values;

    public bool IsEmpty => Sent is null && _hours.Count == 0;

    public static DateTimeOffset HourOf(DateTimeOffset at) => UsageRows.TimeOf(UsageRows.HourOf(at));

    public void Apply(BacklogEntry entry)
    {
        if (entry.Whole is { } whole)
            Take(whole);
        if (entry.Used is { } used)
            Add(used);
        if (entry.Sent is { } sent)
            Remove(sent);
        if (entry.Replied is { } reply)
            Take(reply);
        if (entry.Returned is { } returned && _slices.TryGetValue((returned.Purse, returned.Period), out var slice) && slice.Began == returned.Began)
            _slices[(returned.Purse, returned.Period)] = slice with { Returned = Money.Max(slice.Returned, returned.Returned) };
    }

    /// <summary>The oldest usage that waits, as it is to be sent; null where there is none, or some is on its way.</summary>
    public UsageReport? Next() => Sent is not null || _hours.Count == 0 ? null
        : new UsageReport(Sequence + 1, _hours.First().Key, [.. _hours.First().Value.Take(ReportChecks.MostLines).Select(u => UsageLine.Of(u.Key, u.Value))]);

    public BacklogWhole ToWhole() => new(Sequence, Sent,
        [.. _hours.Select(hour => new UsageReport(0, hour.Key, [.. hour.Value.Select(u => UsageLine.Of(u.Key, u.Value))]))], [.. _slices.Values]);

    public SliceView? SliceOf(PurseId purse, BudgetPeriod period) => _slices.GetValueOrDefault((purse, period));

    /// <summary>What was spent of each slice: what the server knows of, and what it does not have yet.</summary>
    public IReadOnlyDictionary<PurseId, KeySpending> Spent(IReadOnlyDictionary<KeyId, GatewayKey> keys)
    {
        var spent = _slices.Values.GroupBy(slice => slice.Purse).ToDictionary(group => group.Key, group => group.Aggregate(new KeySpending(), (sum, slice) =>
            sum.With(slice.Period, slice.Began, slice.Settled)));
        var waiting = _hours.Select(hour => (At: hour.Key, Usage: (IEnumerable<KeyValuePair<UsageSubject, UsageSum>>)hour.Value));
        if (Sent is { } sent)
            waiting = waiting.Append((sent.At, sent.Lines.Select(line => line.ToSum())));
        foreach (var (at, usage) in waiting)
        {
            var sums = usage.ToList();
            foreach (var (key, cost) in UsageLedger.SpentByLevel(sums, keys))
                Count(key, cost, at);
            foreach (var (project, cost) in UsageLedger.SpentByProject(sums))
                Count(project, cost, at);
        }
        return spent;

        void Count(PurseId purse, Money cost, DateTimeOffset at)
        {
            foreach (var period in BudgetPeriods.All)
            {
                if (SliceOf(purse, period) is { } slice && slice.Began == BudgetPeriods.Began(period, at))
                    spent[purse] = spent[purse].With(period, slice.Began, spent[purse][period].Spent + cost);
            }
        }
    }

    private void Take(BacklogWhole whole)
    {
        _hours.Clear();
        _slices.Clear();
        (Sequence, Sent) = (whole.Sequence, whole.Sent);
        foreach (var hour in whole.Waiting)
            Add(hour);
        foreach (var slice in whole.Slices)
            _slices[(slice.Purse, slice.Period)] = slice;
    }

    private void Add(UsageReport used)
    {
        var hour = HourOf(used.At);
        if (!_hours.TryGetValue(hour, out var sums))
            _hours.Add(hour, sums = []);
        foreach (var line in used.Lines)
        {
            var (subject, sum) = line.ToSum();
            sums[subject] = sums.GetValueOrDefault(subject) + sum;
        }
    }

    private void Remove(UsageReport sent)
    {
        (Sequence, Sent) = (sent.Sequence, sent);
        if (!_hours.TryGetValue(sent.At, out var sums))
            return;
        foreach (var line in sent.Lines)
            sums.Remove(line.ToSum().Key);
        if (sums.Count == 0)
            _hours.Remove(sent.At);
    }

    private void Take(ReportReply reply)
    {
        if (Sent is { } sent && sent.Sequence <= reply.Applied)
            Sent = null;
        Sequence = Math.Max(Sequence, reply.Applied);
        foreach (var told in reply.Slices)
        {
            var place = (told.Purse, told.Period);
            // What is given back here is never taken back by a word that crossed it.
            _slices[place] = _slices.TryGetValue(place, out var known) && known.Began == told.Began
                ? told with { Lent = Money.Max(told.Lent, known.Lent), Returned = Money.Max(told.Returned, known.Returned) } : told;
        }
    }
}
