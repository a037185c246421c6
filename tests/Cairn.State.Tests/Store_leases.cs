using Microsoft.Extensions.Time.Testing;

namespace Cairn.State.Tests;

public abstract class Store_leases(Func<Database> database) : StoreContract(database)
{
    private static readonly TimeSpan s_minute = TimeSpan.FromMinutes(1);

    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 8, 1, 0, 0, 0, TimeSpan.Zero));

    [Fact]
    public async Task A_lease_has_one_holder_and_its_epoch_fences_the_former()
    {
        await using var store = await Database.OpenAsync(_time);
        var first = await store.Leases.AcquireAsync("pool", "a", s_minute, Ct);
        Assert.Null(await store.Leases.AcquireAsync("pool", "b", s_minute, Ct));
        await store.Leases.ReleaseAsync(first!, Ct);
        var second = await store.Leases.AcquireAsync("pool", "b", s_minute, Ct);
        Assert.Equal(new Fence("pool", "b", 2), second);
        await store.WriteAsync(s => s.RequireFence(second!), Ct);
        var error = await Assert.ThrowsAsync<FenceLostException>(() => WriteUnder(store, first!, "late"));
        Assert.Equal(first, error.Fence);
        Assert.Equal(0, await CountThings(store));
        Assert.False(await store.Leases.RenewAsync(first!, s_minute, Ct));
        await store.Leases.ReleaseAsync(first!, Ct);
        await WriteUnder(store, second!, "good");
    }

    [Fact]
    public async Task A_lease_is_taken_over_when_it_expires_and_not_before()
    {
        await using var store = await Database.OpenAsync(_time);
        var first = await store.Leases.AcquireAsync("pool", "a", s_minute, Ct);
        _time.Advance(s_minute - TimeSpan.FromMicroseconds(1));
        Assert.Null(await store.Leases.AcquireAsync("pool", "b", s_minute, Ct));
        Assert.True(await store.Leases.RenewAsync(first!, s_minute, Ct));
        _time.Advance(TimeSpan.FromMicroseconds(1));
        Assert.Null(await store.Leases.AcquireAsync("pool", "b", s_minute, Ct));
        _time.Advance(s_minute);
        // Expired and not taken: the former holder may still write, for nobody else does.
        await WriteUnder(store, first!, "unopposed");
        Assert.Equal(2, (await store.Leases.AcquireAsync("pool", "b", s_minute, Ct))!.Epoch);
        await Assert.ThrowsAsync<FenceLostException>(() => WriteUnder(store, first!, "late"));
    }

    [Fact]
    public async Task A_holder_that_asks_again_keeps_its_epoch_and_one_that_gave_it_back_does_not()
    {
        await using var store = await Database.OpenAsync(_time);
        var first = await store.Leases.AcquireAsync("pool", "a", s_minute, Ct);
        Assert.Equal(first, await store.Leases.AcquireAsync("pool", "a", s_minute, Ct));
        await store.Leases.ReleaseAsync(first!, Ct);
        Assert.Equal(2, (await store.Leases.AcquireAsync("pool", "a", s_minute, Ct))!.Epoch);
        await Assert.ThrowsAsync<FenceLostException>(() => WriteUnder(store, first!, "late"));
    }

    [Fact]
    public async Task Of_64_that_race_for_a_lease_one_wins_each_time()
    {
        await using var store = await Database.OpenAsync(_time);
        Fence? former = null;
        for (var round = 1; round <= 5; round++)
        {
            var won = await Task.WhenAll(Enumerable.Range(0, 64).Select(i =>
                Task.Run(() => store.Leases.AcquireAsync("pool", $"{round}-{i}", s_minute, Ct), Ct)));
            var fence = Assert.Single(won, f => f is not null)!;
            Assert.Equal(round, fence.Epoch);
            if (former is not null)
                await Assert.ThrowsAsync<FenceLostException>(() => WriteUnder(store, former, "late"));
            former = fence;
            _time.Advance(s_minute);
        }
    }

    [Fact]
    public async Task A_holder_renews_while_it_lives_and_gives_back_when_it_is_done()
    {
        await using var store = await Database.OpenAsync(_time);
        var hour = TimeSpan.FromHours(1);
        var holder = await LeaseHolder.AcquireAsync(store, "pool", hour, Ct);
        for (var i = 0; i < 4; i++)
        {
            var expires = await Expiry(store);
            await Wait.Until(async () =>
            {
                // In steps, for the holder begins its wait at a moment of its own.
                _time.Advance(TimeSpan.FromSeconds(10));
                return await Expiry(store) > expires;
            });
        }
        Assert.True(_time.GetUtcNow() - _time.Start > hour, "It held on beyond the time it asked for at first.");
        Assert.False(holder.Lost.IsCancellationRequested);
        await holder.DisposeAsync();
        Assert.True(holder.Lost.IsCancellationRequested);
        await using var next = await LeaseHolder.TryAcquireAsync(store, "pool", s_minute, Ct);
        Assert.Equal(holder.Fence.Epoch + 1, next!.Fence.Epoch);
    }

    [Fact]
    public async Task A_holder_is_told_when_its_lease_went_to_another()
    {
        await using var store = await Database.OpenAsync(_time);
        await using var holder = await LeaseHolder.AcquireAsync(store, "pool", s_minute, Ct);
        await store.WriteAsync(s => s.Execute("UPDATE leases SET holder = 'usurper', epoch = epoch + 1"), Ct);
        await Wait.Until(() =>
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            return holder.Lost.IsCancellationRequested;
        });
        Assert.True(_time.GetUtcNow() - _time.Start < s_minute, "It was told before its lease had expired by the clock.");
    }

    [Fact]
    public async Task A_holder_whose_store_does_not_answer_gives_up_before_another_may_take_over()
    {
        await using var store = await Database.OpenAsync(_time);
        await using var holder = await LeaseHolder.AcquireAsync(store, "pool", s_minute, Ct);
        using var gate = new ManualResetEventSlim();
        var busy = await Occupy(store, gate);
        _time.Advance(s_minute - TimeSpan.FromMicroseconds(1));
        Assert.False(holder.Lost.IsCancellationRequested);
        _time.Advance(TimeSpan.FromMicroseconds(1));
        Assert.True(holder.Lost.IsCancellationRequested);
        gate.Set();
        await busy;
    }

    [Fact]
    public async Task One_who_waits_for_a_lease_gets_it_as_soon_as_it_is_given_back()
    {
        await using var store = await Database.OpenAsync(_time);
        var holder = await LeaseHolder.AcquireAsync(store, "pool", s_minute, Ct);
        var waiting = LeaseHolder.AcquireAsync(store, "pool", s_minute, Ct);
        Assert.False(waiting.IsCompleted);
        await holder.DisposeAsync();
        await using var next = await waiting.WaitAsync(TimeSpan.FromMinutes(2), Ct);
        Assert.Equal(2, next.Fence.Epoch);
    }

    /// <summary>Asked of the writer, behind whatever the holder asked of it before.</summary>
    private static Task<long> Expiry(Store store) => store.WriteAsync(s => s.Scalar<long>("SELECT expires_at FROM leases"), Ct);

    private static Task WriteUnder(Store store, Fence fence, string id) => store.WriteAsync(s =>
    {
        s.Execute("INSERT INTO things (id, name, size) VALUES (@id, 'n', 0)", new { id });
        s.RequireFence(fence);
    }, Ct);
}

public sealed class Store_leases_on_SQLite() : Store_leases(() => new SqliteDatabase());

public sealed class Store_leases_on_PostgreSQL(PostgresServer server) : Store_leases(() => new PostgresDatabase(server));
