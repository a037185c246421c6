using System.Collections.Concurrent;
using Microsoft.Extensions.Time.Testing;

namespace Cairn.State.Tests;

public abstract class Store_signals(Func<Database> database) : StoreContract(database)
{
    private static readonly TimeSpan s_long = TimeSpan.FromMinutes(2);

    private readonly FakeTimeProvider _time = new();

    [Fact]
    public async Task A_signal_wakes_who_waits_once_its_work_is_durable()
    {
        await using var store = await Database.OpenAsync(_time);
        using var wake = store.Signals.Subscribe("jobs");
        var waiting = wake.WaitAsync(Timeout.InfiniteTimeSpan, Ct);
        await store.WriteAsync(s =>
        {
            s.Signal("jobs");
            Assert.False(waiting.IsCompleted);
        }, Ct);
        Assert.True(await waiting.WaitAsync(s_long, Ct));
    }

    [Fact]
    public async Task A_work_that_fails_signals_nobody()
    {
        await using var store = await Database.OpenAsync(_time);
        var heard = new ConcurrentQueue<string?>();
        using var listening = store.Signals.Subscribe("jobs", heard.Enqueue);
        var failing = Enumerable.Range(0, 10).Select(_ => store.WriteAsync(s =>
        {
            s.Signal("jobs", "bad");
            throw new InvalidOperationException("refused");
        }, Ct)).ToList();
        var good = store.WriteAsync(s => s.Signal("jobs", "good"), Ct);
        foreach (var work in failing)
            await Assert.ThrowsAsync<InvalidOperationException>(() => work);
        await good;
        Assert.Equal(["good"], heard.Where(payload => payload is not null));
    }

    [Fact]
    public async Task Signals_that_nobody_waits_for_are_kept_as_one()
    {
        await using var store = await Database.OpenAsync(_time);
        using var wake = store.Signals.Subscribe("jobs");
        for (var i = 0; i < 5; i++)
            store.Signals.Raise("jobs");
        Assert.True(await wake.WaitAsync(Timeout.InfiniteTimeSpan, Ct));
        var second = wake.WaitAsync(TimeSpan.FromSeconds(5), Ct);
        Assert.False(second.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(5));
        Assert.False(await second.WaitAsync(s_long, Ct));
    }

    [Fact]
    public async Task A_wait_ends_by_its_token_and_a_signal_that_is_there_comes_first()
    {
        await using var store = await Database.OpenAsync(_time);
        using var wake = store.Signals.Subscribe("jobs");
        using var cancelled = new CancellationTokenSource();
        var waiting = wake.WaitAsync(s_long, cancelled.Token);
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        store.Signals.Raise("jobs");
        Assert.True(await wake.WaitAsync(TimeSpan.Zero, Ct));
        Assert.False(await wake.WaitAsync(TimeSpan.Zero, Ct));
    }

    [Fact]
    public async Task A_signal_too_large_to_travel_fails_its_work()
    {
        await using var store = await Database.OpenAsync(_time);
        await Assert.ThrowsAsync<ArgumentException>(() => store.WriteAsync(s => s.Signal("jobs", new string('x', 8_000)), Ct));
    }
}

public sealed class Store_signals_on_SQLite() : Store_signals(() => new SqliteDatabase());

public sealed class Store_signals_on_PostgreSQL(PostgresServer server) : Store_signals(() => new PostgresDatabase(server));
