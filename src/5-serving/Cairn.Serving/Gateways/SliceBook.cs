using Cairn.Contracts.Ids;
using Cairn.Contracts.Units;
using Cairn.Serving.Gateway.Limits;
using Cairn.Serving.Gateway.Pools;
using Cairn.State;

namespace Cairn.Serving.Gateways;

/// <summary>
/// The slices of keys' budgets that gateways hold: in memory for deciding, in rows before a gateway hears of them. Money is taken from the server's own account of the key
/// first, so what is lent, spent and reserved together never passes the budget. Not for concurrent use.
/// </summary>
internal sealed class SliceBook(Store store, GatewayState gateway)
{
    private Dictionary<KeyId, Dictionary<(Guid Gateway, BudgetPeriod Period), SliceRow>> _slices = [];

    /// <summary>Reads the rows. At the start it comes before the first snapshot; later, where other servers write them too.</summary>
    public async Task LoadAsync(DateTimeOffset now, CancellationToken cancellationToken)
    {
        var rows = await store.ReadAsync(session => GatewayRows.Slices(session, now), cancellationToken);
        _slices = rows.GroupBy(slice => slice.KeyId).ToDictionary(group => group.Key, group => group.ToDictionary(slice => (slice.GatewayId, slice.Period)));
        gateway.RestoreLent(_slices.Keys.ToDictionary(key => key, key => Outstanding(key, now)), now);
        foreach (var key in _slices.Keys.ToList())
            Tell(key, Money.Zero, now, now);
    }

    /// <summary>What a gateway holds of a key.</summary>
    public IEnumerable<SliceRow> Of(Guid id, KeyId key) => SlicesOf(key).Values.Where(slice => slice.GatewayId == id);

    /// <summary>Gateways other than this one that hold some of the key's budget.</summary>
    public IReadOnlyList<Guid> OtherHolders(KeyId key, Guid than) =>
        [.. SlicesOf(key).Values.Where(slice => slice.GatewayId != than && slice.Outstanding > Money.Zero).Select(slice => slice.GatewayId)];

    /// <summary>Notes what came back and what was spent, once the rows say so.</summary>
    /// <param name="id">The gateway.</param>
    /// <param name="returns">What it has given back, in all.</param>
    /// <param name="spent">By key, on every level; empty where the usage was taken before.</param>
    /// <param name="at">When that was spent.</param>
    /// <param name="now">The time.</param>
    public void Took(Guid id, IReadOnlyList<SliceReturn> returns, IReadOnlyDictionary<KeyId, Money> spent, DateTimeOffset at, DateTimeOffset now)
    {
        foreach (var (key, money) in spent)
        {
            var held = SlicesOf(key);
            foreach (var slice in Of(id, key).Where(slice => slice.Began == BudgetPeriods.Began(slice.Period, at)).ToList())
                held[(id, slice.Period)] = slice with { Spent = slice.Spent + money };
        }
        foreach (var given in returns)
        {
            if (Returned(id, given) is { } slice)
                SlicesOf(given.Key)[(id, given.Period)] = slice;
        }
        foreach (var key in spent.Keys.Union(returns.Select(r => r.Key)))
            Tell(key, spent.GetValueOrDefault(key), at, now);
    }

    /// <summary>A slice with what was given back of it; null where it is not known or nothing is new.</summary>
    public SliceRow? Returned(Guid id, SliceReturn given) =>
        SlicesOf(given.Key).TryGetValue((id, given.Period), out var slice) && slice.Began == given.Began && given.Returned > slice.Returned
            ? slice with { Returned = Money.Min(given.Returned, slice.Lent) } : null;

    /// <summary>Lends more to a gateway, durably before this ends.</summary>
    /// <returns>The slices as they are now, one per key that was asked for and has a budget.</returns>
    public async Task<IReadOnlyList<SliceRow>> LendAsync(Guid id, IReadOnlyList<BudgetAsk> asks, int parties, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var (all, changed) = (new List<SliceRow>(), new List<SliceRow>());
        foreach (var ask in asks)
        {
            if (gateway.FindKey(ask.Key) is not var (key, account) || key.Limits.Budget is null)
                continue;
            var (held, place) = (SlicesOf(ask.Key), (id, key.Limits.Period));
            var began = BudgetPeriods.Began(key.Limits.Period, now);
            if (!held.TryGetValue(place, out var slice) || slice.Began != began)
                slice = new SliceRow { GatewayId = id, KeyId = ask.Key, Period = key.Limits.Period, Began = began };
            var more = account.Lend(room => SliceDecision.More(room, slice.Outstanding, ask.Wanted, parties), now);
            slice = slice with { Lent = slice.Lent + more };
            all.Add(slice);
            if (more == Money.Zero)
                continue;
            changed.Add(slice);
            // Before the write: should it fail, the money counts as lent, which is the safe side.
            held[place] = slice;
        }
        if (changed.Count > 0)
            await store.WriteAsync(session => changed.ForEach(slice => GatewayRows.Write(session, slice)), cancellationToken);
        return all;
    }

    private Dictionary<(Guid Gateway, BudgetPeriod Period), SliceRow> SlicesOf(KeyId key)
    {
        if (!_slices.TryGetValue(key, out var slices))
            _slices.Add(key, slices = []);
        return slices;
    }

    /// <summary>What is lent of a key; a period that is over lends nothing to the next.</summary>
    private IReadOnlyDictionary<BudgetPeriod, Money> Outstanding(KeyId key, DateTimeOffset now) => SlicesOf(key).Values
        .Where(slice => slice.Began == BudgetPeriods.Began(slice.Period, now))
        .GroupBy(slice => slice.Period).ToDictionary(group => group.Key, group => group.Aggregate(Money.Zero, (sum, slice) => sum + slice.Outstanding));

    private void Tell(KeyId key, Money spent, DateTimeOffset at, DateTimeOffset now) =>
        gateway.FindKey(key)?.Account.SpentElsewhere(spent, at, Outstanding(key, now), now);
}
