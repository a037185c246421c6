using Cairn.Contracts.Units;
using Cairn.Serving.Gateway.Limits;
using CsCheck;

namespace Cairn.Serving.Tests.Limits;

public sealed class A_key_is_held_to_its_limits
{
    private static readonly DateTimeOffset s_start = new(2026, 3, 4, 12, 0, 0, TimeSpan.Zero); // a Wednesday

    [Fact]
    public void Requests_in_any_sixty_seconds()
    {
        var key = Key(new KeyLimits { RequestsPerMinute = 2 });
        Assert.NotNull(Take(key, at: 0.9));
        Assert.NotNull(Take(key, at: 30));
        Assert.Null(Reservation.Take(key, 0, default, s_start.AddSeconds(59), out var refusal));
        Assert.Equal((LimitKind.Requests, 2, 2), (refusal!.Kind, refusal.Limit, refusal.Used));
        Assert.Equal(TimeSpan.FromSeconds(2), refusal.RetryAfter);
        Assert.Null(Take(key, at: 60.8));
        Assert.NotNull(Take(key, at: 61));
    }

    [Fact]
    public void Tokens_are_reserved_first_and_corrected_by_what_was_used()
    {
        var key = Key(new KeyLimits { TokensPerMinute = 100 });
        var first = Take(key, tokens: 80);
        Assert.Null(Take(key, tokens: 30));
        first!.Settle(50, default);
        Assert.NotNull(Take(key, tokens: 50));
        Assert.Null(Take(key, tokens: 1));
        Assert.Null(Reservation.Take(key, 101, default, s_start, out var never));
        Assert.Null(never!.RetryAfter);
    }

    [Fact]
    public void Requests_at_once()
    {
        var key = Key(new KeyLimits { ParallelRequests = 1 });
        using (Take(key))
            Assert.Null(Take(key));
        Assert.NotNull(Take(key));
    }

    [Fact]
    public void Money_reserved_counts_until_it_is_settled()
    {
        var key = Key(new KeyLimits { Budget = new Money(100) });
        var first = Take(key, money: 60);
        Assert.Null(Reservation.Take(key, 0, new Money(50), s_start, out var refusal));
        Assert.Equal((LimitKind.Budget, 100, 60, 50), (refusal!.Kind, refusal.Limit, refusal.Used, refusal.Asked));
        Assert.Equal(TimeSpan.FromSeconds(1), refusal.RetryAfter);
        first!.Settle(10, new Money(50));
        first.Settle(10, new Money(50));
        first.Dispose();
        Assert.NotNull(Take(key, money: 50));
        Assert.Null(Reservation.Take(key, 0, new Money(51), s_start, out refusal));
        Assert.Null(refusal!.RetryAfter);
    }

    [Theory]
    [InlineData(BudgetPeriod.Daily, "2026-03-05T00:00:00Z")]
    [InlineData(BudgetPeriod.Weekly, "2026-03-09T00:00:00Z")]
    [InlineData(BudgetPeriod.Monthly, "2026-04-01T00:00:00Z")]
    public void A_budget_begins_anew_with_its_period(BudgetPeriod period, string next)
    {
        var key = Key(new KeyLimits { Budget = new Money(100), Period = period });
        Take(key, money: 100)!.Settle(0, new Money(100));
        var anew = DateTimeOffset.Parse(next, System.Globalization.CultureInfo.InvariantCulture);
        Assert.Null(Reservation.Take(key, 0, new Money(1), anew.AddMilliseconds(-1), out var refusal));
        Assert.Equal(TimeSpan.FromMilliseconds(1), refusal!.RetryAfter);
        Assert.NotNull(Reservation.Take(key, 0, new Money(100), anew, out _));
    }

    [Fact]
    public void What_was_spent_before_a_restart_is_restored()
    {
        var key = Key(new KeyLimits { Budget = new Money(100), Period = BudgetPeriod.Monthly });
        key.Restore(new KeySpending { Month = BudgetPeriods.Began(BudgetPeriod.Monthly, s_start), MonthSpent = new Money(70), TotalSpent = new Money(700) });
        Assert.Null(Take(key, money: 31));
        Assert.NotNull(Take(key, money: 30));
    }

    [Fact]
    public void A_key_is_held_to_the_limits_above_it_and_a_refusal_takes_nothing()
    {
        var team = Key(new KeyLimits { RequestsPerMinute = 3 }, "team");
        var (one, two) = (new KeyAccount("one", team), new KeyAccount("two", team));
        Assert.NotNull(Take(one));
        Assert.NotNull(Take(two));
        Assert.NotNull(Take(one));
        Assert.Null(Reservation.Take(two, 5, new Money(5), s_start, out var refusal));
        Assert.Equal("team", refusal!.Key);
        Assert.Equal((1, 0, 0), (two.Requests.Sum, two.Tokens.Sum, two.Reserved.Micros));
    }

    /// <summary>Against a list of everything that was let in: every sum is what a naive count says, never above a limit, and nothing is left when all is settled.</summary>
    [Fact]
    public void Never_over_and_never_leaking() =>
        Gen.Select(Gen.Int[1, 20], Gen.Int[1, 400], Gen.Int[1, 5], Gen.Int[0, 1000],
            Gen.Select(Gen.Int[0, 2], Gen.Int[0, 90], Gen.Int[0, 120], Gen.Double[0, 1], Gen.Double[0, 25]).Array[1, 80]).Sample((requests, tokens, parallel, budget, steps) =>
        {
            var limits = new KeyLimits { RequestsPerMinute = requests, TokensPerMinute = tokens, ParallelRequests = parallel, Budget = new Money(budget) };
            var parent = Key(limits, "parent");
            KeyAccount[] keys = [parent, new("a", parent), new("b", parent)];
            keys[1].Change(new KeyLimits { RequestsPerMinute = 1 + requests / 2, Budget = new Money(budget / 2) });
            var (now, letIn, open) = (s_start, new List<(DateTimeOffset At, long Tokens)>(), new List<(Reservation Held, int Tokens, int Money, int Entry)>());
            var spent = 0L;
            foreach (var (key, ask, money, used, wait) in steps)
            {
                now = now.AddSeconds(wait);
                if (Reservation.Take(keys[key], ask, new Money(money), now, out _) is { } held)
                {
                    letIn.Add((now, ask));
                    open.Add((held, ask, money, letIn.Count - 1));
                }
                if (used > 0.4 && open.Count > 0)
                {
                    var settle = open[(int)(used * 1000) % open.Count];
                    open.Remove(settle);
                    settle.Held.Settle((long)(settle.Tokens * used), new Money((long)(settle.Money * used)));
                    letIn[settle.Entry] = (letIn[settle.Entry].At, (long)(settle.Tokens * used));
                    spent += (long)(settle.Money * used);
                }
                var minute = letIn.Where(l => now - l.At < TimeSpan.FromSeconds(60)).ToList();
                Assert.True(minute.Count <= requests);
                Assert.True(minute.Sum(l => l.Tokens) <= tokens);
                Assert.True(open.Count <= parallel);
                Assert.Equal(spent, parent.Spent.Micros);
                Assert.Equal(open.Sum(o => (long)o.Money), parent.Reserved.Micros);
                Assert.True(spent + open.Sum(o => (long)o.Money) <= budget);
            }
            foreach (var (held, _, _, _) in open)
                held.Dispose();
            Assert.All(keys, k => Assert.Equal((0, 0), (k.Parallel, k.Reserved.Micros)));
        }, iter: 300);

    [Fact]
    public async Task A_dollar_and_two_hundred_clients_never_pass_the_dollar()
    {
        var key = Key(new KeyLimits { Budget = Money.FromUsd(1) });
        var most = 0L;
        await Task.WhenAll(Enumerable.Range(0, 200).Select(client => Task.Run(() =>
        {
            var random = new Random(client);
            for (var i = 0; i < 200; i++)
            {
                using var held = Reservation.Take(key, 10, new Money(1000), s_start, out _);
                InterlockedMax(ref most, (key.Spent + key.Reserved).Micros);
                if (held is not null && random.Next(4) > 0)
                    held.Settle(10, new Money(random.Next(1001)));
            }
        })));
        Assert.True(most <= 1_000_000, $"{most} micro-dollars were spent and reserved at once");
        Assert.Equal(0, key.Reserved.Micros);
        Assert.InRange(key.Spent.Micros, 999_000, 1_000_000);
    }

    private static void InterlockedMax(ref long most, long value)
    {
        for (var seen = Volatile.Read(ref most); value > seen && Interlocked.CompareExchange(ref most, value, seen) is var was && was != seen; seen = was)
        {
        }
    }

    private static KeyAccount Key(KeyLimits limits, string name = "key")
    {
        var key = new KeyAccount(name, null);
        key.Change(limits);
        return key;
    }

    private static Reservation? Take(KeyAccount key, long tokens = 0, long money = 0, double at = 0) =>
        Reservation.Take(key, tokens, new Money(money), s_start.AddSeconds(at), out _);
}
