using Cairn.Contracts.Units;
using Cairn.Serving.Gateway.Limits;
using Cairn.Serving.Gateway.Pools;
using Cairn.State;

namespace Cairn.Serving.Gateways;

/// <summary>
/// The slices of keys' budgets and of projects' credits that gateways hold: in memory for deciding, in rows before a gateway hears of them.
/// Money is taken from the server's own purse first, so what is lent, spent and reserved together never passes what is in it. Not for
/// concurrent use.
/// </summary>
internal sealed class SliceBook(Store store, GatewayState gateway)
{
    private readonly HashSet<(Guid Gateway, PurseId Purse, BudgetPeriod Period)> _unwritten = [];
    private Dictionary<PurseId, Dictionary<(Guid Gateway, BudgetPeriod Period), SliceRow>> _slices = [];

    /// <summary>
    /// Takes the rows as they were read. At the start that comes before the first snapshot; later, where other servers write them too.
    /// </summary>
    public void Restore(IReadOnlyList<SliceRow> rows, DateTimeOffset now)
    {
        _slices = rows.GroupBy(slice => slice.PurseId).ToDictionary(group => group.Key, group => group.ToDictionary(slice => (slice.GatewayId, slice.Period)));
        gateway.RestoreLent(_slices.Keys.ToDictionary(purse => purse, purse => Outstanding(purse, now)), now);
        foreach (var purse in _slices.Keys.ToList())
            Tell(purse, Money.Zero, now, now);
    }

    /// <summary>What a gateway holds of a purse.</summary>
    public IEnumerable<SliceRow> Of(Guid id, PurseId purse) => SlicesOf(purse).Values.Where(slice => slice.GatewayId == id);

    /// <summary>Gateways other than this one that hold some of the purse.</summary>
    public IReadOnlyList<Guid> OtherHolders(PurseId purse, Guid than) =>
        [.. SlicesOf(purse).Values.Where(slice => slice.GatewayId != than && slice.Outstanding > Money.Zero).Select(slice => slice.GatewayId)];

    /// <summary>Purses of which a gateway holds some, and of which more is lent and promised than there is: it went elsewhere.</summary>
    public IEnumerable<PurseId> Overlent(Guid id, DateTimeOffset now) => _slices
        .Where(held => held.Value.Values.Any(slice => slice.GatewayId == id && slice.Outstanding > Money.Zero) && gateway.FindPurse(held.Key)?.Room(now) < Money.Zero)
        .Select(held => held.Key);

    /// <summary>Notes what came back and what was spent, once the rows say so.</summary>
    /// <param name="id">The gateway.</param>
    /// <param name="returns">What it has given back, in all.</param>
    /// <param name="spent">By purse: keys on every level, and projects; empty where the usage was taken before.</param>
    /// <param name="at">When that was spent.</param>
    /// <param name="now">The time.</param>
    public void Took(Guid id, IReadOnlyList<SliceReturn> returns, IReadOnlyDictionary<PurseId, Money> spent, DateTimeOffset at, DateTimeOffset now)
    {
        foreach (var (purse, money) in spent)
        {
            var held = SlicesOf(purse);
            foreach (var slice in Of(id, purse).Where(slice => slice.Began == BudgetPeriods.Began(slice.Period, at)).ToList())
                held[(id, slice.Period)] = slice with { Spent = slice.Spent + money };
        }
        foreach (var given in returns)
        {
            if (Returned(id, given) is { } slice)
                SlicesOf(given.Purse)[(id, given.Period)] = slice;
        }
        foreach (var purse in spent.Keys.Union(returns.Select(r => r.Purse)))
            Tell(purse, spent.GetValueOrDefault(purse), at, now);
    }

    /// <summary>A slice with what was given back of it; null where it is not known or nothing is new.</summary>
    public SliceRow? Returned(Guid id, SliceReturn given) =>
        SlicesOf(given.Purse).TryGetValue((id, given.Period), out var slice) && slice.Began == given.Began && given.Returned > slice.Returned
            ? slice with { Returned = Money.Min(given.Returned, slice.Lent) } : null;

    /// <summary>Lends more to a gateway, durably before this ends.</summary>
    /// <returns>The slices as they are now, one per purse that was asked for and is limited.</returns>
    public async Task<IReadOnlyList<SliceRow>> LendAsync(Guid id, IReadOnlyList<BudgetAsk> asks, int parties, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var lent = new List<SliceRow>();
        foreach (var ask in asks)
        {
            if (gateway.FindPurse(ask.Purse) is not { Ceiling: not null } purse)
                continue;
            var (held, place) = (SlicesOf(ask.Purse), (id, purse.Period));
            var began = BudgetPeriods.Began(purse.Period, now);
            if (!held.TryGetValue(place, out var slice) || slice.Began != began)
                slice = new SliceRow { GatewayId = id, PurseId = ask.Purse, Period = purse.Period, Began = began };
            var more = purse.Lend(room => SliceDecision.More(room, slice.Outstanding, ask.Wanted, parties), now);
            slice = slice with { Lent = slice.Lent + more };
            lent.Add(slice);
            if (more == Money.Zero)
                continue;
            // Before the write: should it fail, the money counts as lent, which is the safe side, and the next write has it.
            held[place] = slice;
            _unwritten.Add((id, ask.Purse, purse.Period));
        }
        var rows = lent.Where(slice => _unwritten.Contains((id, slice.PurseId, slice.Period))).ToList();
        if (rows.Count > 0)
            await store.WriteAsync(session => rows.ForEach(slice => GatewayRows.Write(session, slice)), cancellationToken);
        _unwritten.ExceptWith(rows.Select(slice => (id, slice.PurseId, slice.Period)));
        return lent;
    }

    private Dictionary<(Guid Gateway, BudgetPeriod Period), SliceRow> SlicesOf(PurseId purse)
    {
        if (!_slices.TryGetValue(purse, out var slices))
            _slices.Add(purse, slices = []);
        return slices;
    }

    /// <summary>What is lent of a purse; a period that is over lends nothing to the next.</summary>
    private IReadOnlyDictionary<BudgetPeriod, Money> Outstanding(PurseId purse, DateTimeOffset now) => SlicesOf(purse).Values
        .Where(slice => slice.Began == BudgetPeriods.Began(slice.Period, now))
        .GroupBy(slice => slice.Period).ToDictionary(group => group.Key, group => group.Aggregate(Money.Zero, (sum, slice) => sum + slice.Outstanding));

    private void Tell(PurseId purse, Money spent, DateTimeOffset at, DateTimeOffset now) =>
        gateway.FindPurse(purse)?.SpentElsewhere(spent, at, Outstanding(purse, now), now);
}
