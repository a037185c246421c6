using System.Collections.Frozen;
using Cairn.Contracts.Units;
using Cairn.Serving.Alone;
using Cairn.Serving.Gateway;
using Cairn.Serving.Gateway.Limits;
using Cairn.Serving.Gateway.Pools;
using Cairn.Serving.Gateway.Snapshots;
using Cairn.Serving.Gateways;
using Microsoft.Extensions.Time.Testing;

namespace Cairn.Serving.Tests.Alone;

/// <summary>Nobody is told that the money is spent while there may be more.</summary>
public sealed class Requests_wait_for_money : IDisposable
{
    private static readonly DateTimeOffset s_now = new(2026, 3, 4, 12, 0, 0, TimeSpan.Zero);
    private readonly GatewayKey _key = SharedBudget.Key("app", 1_000);
    private readonly GatewayState _state = new(new GatewayOptions { BorrowedBudgets = true });
    private readonly ServerLink _link = new(new AloneOptions { Server = new Uri("http://127.0.0.1:1"), Key = "", Name = "edge", DataFolder = "" }) { IsAway = false };

    public Requests_wait_for_money()
    {
        _state.Push(new GatewaySnapshot(1, FrozenDictionary<ModelName, ModelRoute>.Empty, new[] { _key }.ToFrozenDictionary(k => k.Id)));
        Reservation.Take(Account, 0, Money.Zero, s_now, out _)!.Dispose();
        Lend(100);
    }

    private KeyAccount Account => _state.FindKey(_key.Id)!.Value.Account;

    public void Dispose() => _link.Dispose();

    [Fact]
    public async Task One_whose_money_another_took_in_the_last_moment_asks_for_more()
    {
        Reservation? quicker = null;
        // The first look at the clock is when it is seen that there is enough, the second when it is taken.
        var clock = new Clock(look => quicker ??= look == 2 ? Reservation.Take(Account, 0, new Money(100), s_now, out _) : null);
        var borrowing = new BudgetBorrowing(_state, _link, clock);
        borrowing.Wanted += () =>
        {
            var round = borrowing.Take();
            Assert.Equal(100, round.Wants[_key.Id].Micros);
            Lend(200);
            round.Answered.SetResult(new ReportReply { Applied = 0, Slices = [Slice(200)] });
        };

        var (taken, _) = await borrowing.BorrowAsync(_key, Account, 0, new Money(100), TestContext.Current.CancellationToken);

        Assert.NotNull(quicker);
        Assert.NotNull(taken);
    }

    [Fact]
    public async Task One_whose_patience_ends_while_more_may_come_back_is_told_to_come_again()
    {
        var time = new FakeTimeProvider(s_now);
        var borrowing = new BudgetBorrowing(_state, _link, time);
        using var wanted = new SemaphoreSlim(0);
        borrowing.Wanted += () => wanted.Release();
        var borrows = borrowing.BorrowAsync(_key, Account, 0, new Money(150), TestContext.Current.CancellationToken);
        do
        {
            // What another gateway was asked for is not back yet.
            if (await wanted.WaitAsync(TimeSpan.FromMilliseconds(10), TestContext.Current.CancellationToken))
                borrowing.Take().Answered.SetResult(new ReportReply { Applied = 0, Pending = [_key.Id] });
            time.Advance(TimeSpan.FromMilliseconds(200));
        }
        while (!borrows.IsCompleted);
        var (taken, refusal) = await borrows;
        Assert.Null(taken);
        Assert.True(refusal!.Unconfirmed);
    }

    [Fact]
    public async Task One_that_lacks_what_nobody_has_is_told_so()
    {
        var borrowing = new BudgetBorrowing(_state, _link, new FakeTimeProvider(s_now));
        borrowing.Wanted += () => borrowing.Take().Answered.SetResult(new ReportReply { Applied = 0, Slices = [Slice(100)] });
        var (taken, refusal) = await borrowing.BorrowAsync(_key, Account, 0, new Money(150), TestContext.Current.CancellationToken);
        Assert.Null(taken);
        Assert.False(refusal!.Unconfirmed);

        // All of the budget is here already: the server is not asked.
        Lend(1_000);
        (taken, refusal) = await new BudgetBorrowing(_state, _link, new FakeTimeProvider(s_now)).BorrowAsync(_key, Account, 0, new Money(1_001), TestContext.Current.CancellationToken);
        Assert.Null(taken);
        Assert.False(refusal!.Unconfirmed);
    }

    private void Lend(long micros) => Account.Borrow(BudgetPeriod.Monthly, BudgetPeriods.Began(BudgetPeriod.Monthly, s_now), new Money(micros));

    private SliceView Slice(long lent) =>
        new(_key.Id, BudgetPeriod.Monthly, BudgetPeriods.Began(BudgetPeriod.Monthly, s_now), new Money(lent), Money.Zero, Money.Zero);

    /// <summary>Stands still, and says how often it was looked at.</summary>
    private sealed class Clock(Action<int> looked) : TimeProvider
    {
        private int _looks;

        public override DateTimeOffset GetUtcNow()
        {
            looked(Interlocked.Increment(ref _looks));
            return s_now;
        }
    }
}
