using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace Cairn.State.Tests;

public sealed class ReconcilerLoopTests : IAsyncLifetime
{
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 8, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly SqliteDatabase _database = new();
    private readonly StoppableHost _host = new();
    private readonly Lines<ReconcilerLoop> _log = new();
    private Store _store = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _store = await _database.OpenAsync(_time);

    public async ValueTask DisposeAsync()
    {
        await _store.DisposeAsync();
        _database.Dispose();
    }

    [Fact]
    public async Task It_takes_a_turn_at_start_on_a_signal_and_on_the_timer()
    {
        var turns = 0;
        using var loop = Loop(new Reconciler("placement", (_, _) =>
        {
            Interlocked.Increment(ref turns);
            return Task.CompletedTask;
        }));
        await loop.StartAsync(Ct);
        await Wait.Until(() => turns == 1);
        await _store.WriteAsync(s => s.Signal("placement"), Ct);
        await Wait.Until(() => turns == 2);
        await Wait.Until(() =>
        {
            _time.Advance(TimeSpan.FromSeconds(5));
            return turns >= 3;
        });
        await loop.StopAsync(Ct);
        Assert.Empty(_log.Said);
        Assert.False(_host.IsStopping);
    }

    [Fact]
    public async Task It_takes_turns_under_no_fence_where_no_server_shares_the_rows()
    {
        var fences = new System.Collections.Concurrent.ConcurrentQueue<Fence?>();
        using var loop = Loop(new Reconciler("placement", (fence, _) =>
        {
            fences.Enqueue(fence);
            return Task.CompletedTask;
        }) { OnlyLeader = true });
        await loop.StartAsync(Ct);
        await Wait.Until(() => !fences.IsEmpty);
        await loop.StopAsync(Ct);
        Assert.All(fences, Assert.Null);
    }

    [Fact]
    public async Task It_rests_and_goes_on_when_the_store_fails_for_the_moment()
    {
        var turns = 0;
        using var loop = Loop(new Reconciler("placement", (_, _) =>
            Interlocked.Increment(ref turns) <= 3 ? throw new StoreException(StoreFault.Full, "no room") : Task.CompletedTask));
        await loop.StartAsync(Ct);
        await Wait.Until(() =>
        {
            _time.Advance(TimeSpan.FromMilliseconds(50));
            return turns >= 4;
        });
        await loop.StopAsync(Ct);
        Assert.Equal(["00:00:00.1000000", "00:00:00.2000000", "00:00:00.4000000"], _log.Said.Select(line => line.Text.Split(' ')[^1]));
        Assert.False(_host.IsStopping);
    }

    [Fact]
    public async Task A_defect_is_logged_as_critical_and_stops_the_host()
    {
        using var loop = Loop(new Reconciler("placement", (_, _) => throw new InvalidOperationException("a defect")));
        await loop.StartAsync(Ct);
        await Wait.Until(() => _host.IsStopping);
        await loop.ExecuteTask!;
        Assert.Contains(_log.Said, line => line.Level == LogLevel.Critical && line.Text.Contains("placement", StringComparison.Ordinal));
    }

    private ReconcilerLoop Loop(Reconciler reconciler) => new(reconciler, _store, _host, _log);
}
