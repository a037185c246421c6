using Cairn.Contracts.Units;
using Cairn.Serving.Gateway.Calls;
using Cairn.Serving.Gateway.Limits;
using Cairn.Serving.Gateway.Pools;
using Cairn.Serving.Gateway.Snapshots;
using Cairn.Serving.Gateways;

namespace Cairn.Serving.Alone;

/// <summary>
/// What a gateway that runs alone owes its server, kept in its journal and in its purses alike: from a purse may be spent what the journal
/// says is borrowed, and what is given back leaves the purse first. Safe for concurrent use.
/// </summary>
internal sealed class AloneBook(Journal journal, GatewayState state, UsageBook usage, TimeProvider time)
{
    private const int MostAsks = 1_000;
    private readonly Lock _lock = new();
    private readonly HashSet<(PurseId Purse, BudgetPeriod Period, DateTimeOffset Began)> _asked = [];
    private readonly HashSet<(PurseId, BudgetPeriod)> _untold = [.. journal.Backlog.Slices.Where(s => s.Returned > Money.Zero).Select(s => (s.Purse, s.Period))];
    private bool _restored;

    public bool IsEmpty
    {
        get
        {
            lock (_lock)
                return journal.Backlog.IsEmpty;
        }
    }

    /// <summary>Serves from a snapshot, with what is borrowed.</summary>
    /// <param name="snapshot">The server's.</param>
    /// <param name="limitsFunds">Whether projects spend what they have; then that is borrowed too.</param>
    public void Push(GatewaySnapshot snapshot, bool limitsFunds)
    {
        lock (_lock)
        {
            if (limitsFunds)
                state.Funds.Limit();
            if (!_restored)
                state.Restore(journal.Backlog.Spent(snapshot.Keys));
            _restored = true;
            state.Push(snapshot);
            foreach (var slice in journal.Backlog.Slices)
                Borrow(slice);
        }
    }

    /// <summary>Makes the usage since the last time durable, and draws what is to be sent next.</summary>
    /// <returns>Usage to send; null where there is none.</returns>
    /// <exception cref="IOException">It could not be written; the next call writes it.</exception>
    public UsageReport? Record(DateTimeOffset now)
    {
        lock (_lock)
        {
            var sums = usage.Take();
            if (sums.Count > 0)
                journal.Add(new BacklogEntry { Used = new UsageReport(0, now, [.. sums.Select(u => UsageLine.Of(u.Key, u.Value))]) });
            if (journal.Backlog.Next() is { } next)
                journal.Add(new BacklogEntry { Sent = next });
            journal.Flush();
            return journal.Backlog.Sent;
        }
    }

    /// <summary>
    /// Purses of which the gateway holds nothing yet, or less than half of what it was lent, each asked for once until something changes.
    /// </summary>
    public IReadOnlyList<PurseId> Wishes(DateTimeOffset now)
    {
        lock (_lock)
        {
            var wishes = new List<PurseId>();
            foreach (var (id, purse) in Purses())
            {
                if (wishes.Count == MostAsks)
                    break;
                if (purse.Ceiling is null)
                    continue;
                var (period, began) = (purse.Period, BudgetPeriods.Began(purse.Period, now));
                var slice = journal.Backlog.SliceOf(id, period) is { } known && known.Began == began ? known : null;
                // It lacks half of what it holds: it has spent more than the other half.
                var low = slice is null || purse.Lacks(new Money((slice.Lent - slice.Returned).Micros / 2), now) > Money.Zero;
                if (low && _asked.Add((id, period, began)))
                    wishes.Add(id);
            }
            return wishes;
        }
    }

    /// <summary>What was given back and the server may not know.</summary>
    public IReadOnlyList<SliceReturn> Returns()
    {
        lock (_lock)
        {
            return [.. _untold.Select(place => journal.Backlog.SliceOf(place.Item1, place.Item2)).OfType<SliceView>()
                .Select(slice => new SliceReturn(slice.Purse, slice.Period, slice.Began, slice.Returned))];
        }
    }

    /// <summary>Takes what the server says.</summary>
    /// <param name="reply">To the last report.</param>
    /// <param name="told">What of borrowed money that report gave back.</param>
    public void Replied(ReportReply reply, IReadOnlyList<SliceReturn> told)
    {
        lock (_lock)
        {
            var before = reply.Slices.ToDictionary(s => (s.Purse, s.Period, s.Began), s => journal.Backlog.SliceOf(s.Purse, s.Period)?.Lent ?? Money.Zero);
            if (journal.Backlog.Sent is not null || reply.Slices.Count > 0)
                journal.Add(new BacklogEntry { Replied = reply with { Recalled = [], Pending = [] } });
            foreach (var given in told)
            {
                if (journal.Backlog.SliceOf(given.Purse, given.Period)?.Returned == given.Returned)
                    _untold.Remove((given.Purse, given.Period));
            }
            foreach (var slice in reply.Slices)
            {
                if (journal.Backlog.SliceOf(slice.Purse, slice.Period) is not { } now)
                    continue;
                Borrow(now);
                // More was lent: it may be asked for again when that is half gone.
                if (now.Lent > before[(slice.Purse, slice.Period, slice.Began)])
                    _asked.Remove((slice.Purse, slice.Period, slice.Began));
            }
            GiveBack(reply.Recalled);
        }
    }

    /// <summary>The server is there again, or did not hear: all may be asked for anew.</summary>
    public void Came()
    {
        lock (_lock)
            _asked.Clear();
    }

    /// <summary>Parts with all that is borrowed and idle; the next report tells.</summary>
    public void GiveBackAll()
    {
        lock (_lock)
            GiveBack([.. journal.Backlog.Slices.Select(slice => slice.Purse).Distinct()]);
    }

    private void GiveBack(IEnumerable<PurseId> purses)
    {
        var now = time.GetUtcNow();
        foreach (var id in purses)
        {
            if (state.FindPurse(id) is not { } purse || journal.Backlog.SliceOf(id, purse.Period) is not { } slice
                || slice.Began != BudgetPeriods.Began(slice.Period, now) || purse.GiveBack(now) is not { Micros: > 0 } idle)
                continue;
            journal.Add(new BacklogEntry { Returned = new SliceReturn(id, slice.Period, slice.Began, slice.Returned + idle) });
            _untold.Add((id, slice.Period));
        }
    }

    /// <summary>All that may be spent from here: projects' credits first, which more depends on.</summary>
    private IEnumerable<(PurseId Id, IPurse Purse)> Purses()
    {
        var keys = state.Snapshot.Keys.Values.Where(key => !key.Blocked);
        return keys.Select(key => (PurseId)key.Project).Distinct().Concat(keys.Select(key => (PurseId)key.Id))
            .Select(id => (id, state.FindPurse(id))).Where(found => found.Item2 is not null)!;
    }

    private void Borrow(SliceView slice)
    {
        if (state.FindPurse(slice.Purse) is { Ceiling: not null } purse && purse.Period == slice.Period)
            purse.Borrow(slice.Period, slice.Began, slice.Lent - slice.Returned);
    }
}
