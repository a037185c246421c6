using Cairn.Contracts.Units;
using Cairn.Serving.Gateway.Limits;
using CsCheck;

namespace Cairn.Serving.Tests.Limits;

public sealed class A_project_spends_what_it_has
{
    private static readonly DateTimeOffset s_now = new(2026, 3, 4, 12, 0, 0, TimeSpan.Zero);

    /// <summary>Against a ledger that is written late: reserved and used never exceed what was granted, and when all is settled and written, what is left is the ledger's balance.</summary>
    [Fact]
    public void Never_over_and_never_leaking() =>
        Gen.Select(Gen.Long[0, 300], Gen.Select(Gen.Int[0, 1], Gen.Int[0, 120], Gen.Double[0, 1], Gen.Int[0, 9], Gen.Int[0, 60]).Array[1, 80]).Sample((granted, steps) =>
        {
            var funds = new ProjectFunds();
            KeyAccount[] keys = [new("a", null) { Funds = funds }, new("b", null) { Funds = funds }];
            keys[1].Change(new KeyLimits { Budget = new Money(100) });
            funds.Renew(new Money(granted), Money.Zero);
            var (balance, taken, unwritten, open) = (granted, 0L, 0L, new List<(Reservation Held, int Money)>());
            foreach (var (key, ask, used, what, more) in steps)
            {
                if (Reservation.Take(keys[key], 0, new Money(ask), s_now, out var refusal) is { } held)
                    open.Add((held, ask));
                else if (refusal!.Kind == LimitKind.Funds)
                    Assert.True(balance - taken - unwritten - open.Sum(o => (long)o.Money) < ask);
                if (used > 0.4 && open.Count > 0)
                {
                    var (settled, money) = open[(int)(used * 1000) % open.Count];
                    open.Remove((settled, money));
                    settled.Settle(0, new Money((long)(money * used)));
                    unwritten += (long)(money * used);
                }
                if (what < 3)
                {
                    taken += unwritten;
                    funds.Renew(new Money(balance - taken), new Money(unwritten));
                    unwritten = 0;
                }
                else if (what == 9)
                {
                    balance += more;
                    funds.Renew(new Money(balance - taken), Money.Zero);
                }
                Assert.True(taken + unwritten + open.Sum(o => (long)o.Money) <= balance);
                Assert.Equal(open.Sum(o => (long)o.Money), funds.Promised.Micros);
                Assert.Equal(balance - taken - unwritten, funds.Left!.Value.Micros);
            }
            foreach (var (held, _) in open)
                held.Dispose();
            Assert.Equal(Money.Zero, funds.Promised);
        }, iter: 300);

    [Fact]
    public async Task A_dollar_and_many_keys_at_once_never_pass_the_dollar()
    {
        var funds = new ProjectFunds();
        funds.Renew(Money.FromUsd(1), Money.Zero);
        var spent = 0L;
        await Task.WhenAll(Enumerable.Range(0, 100).Select(client => Task.Run(() =>
        {
            var (random, key) = (new Random(client), new KeyAccount($"key {client}", null) { Funds = funds });
            for (var i = 0; i < 100; i++)
            {
                using var held = Reservation.Take(key, 0, new Money(1000), s_now, out _);
                if (held is null || random.Next(4) == 0)
                    continue;
                var cost = random.Next(1001);
                held.Settle(0, new Money(cost));
                Interlocked.Add(ref spent, cost);
            }
        })));
        Assert.InRange(spent, 999_000, 1_000_000);
        Assert.Equal((1_000_000 - spent, 0), (funds.Left!.Value.Micros, funds.Promised.Micros));
    }

    [Fact]
    public void A_limit_that_refuses_has_promised_nothing_and_what_may_come_back_is_worth_waiting_for()
    {
        var funds = new ProjectFunds();
        funds.Renew(new Money(100), Money.Zero);
        var key = new KeyAccount("app", null) { Funds = funds };
        key.Change(new KeyLimits { Budget = new Money(10) });
        Assert.Null(Reservation.Take(key, 0, new Money(11), s_now, out _));
        Assert.Equal(Money.Zero, funds.Promised);
        key.Change(KeyLimits.None);
        using var held = Reservation.Take(key, 0, new Money(70), s_now, out _);
        Assert.Null(Reservation.Take(key, 0, new Money(40), s_now, out var refusal));
        Assert.Equal((LimitKind.Funds, 100, 70, 40, TimeSpan.FromSeconds(1)), (refusal!.Kind, refusal.Limit, refusal.Used, refusal.Asked, refusal.RetryAfter));
        Assert.Null(Reservation.Take(key, 0, new Money(101), s_now, out refusal));
        Assert.Null(refusal!.RetryAfter);
    }
}
