using System.Collections.Concurrent;
using Microsoft.Extensions.Time.Testing;

namespace Cairn.State.Tests;

/// <summary>Of the servers on one database one leads, and all that only a leader runs is run there and nowhere else.</summary>
public sealed class One_server_leads : IAsyncLifetime
{
    private static readonly TimeSpan s_time = TimeSpan.FromSeconds(15);
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 8, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly SqliteDatabase _database = new();
    private Store _store = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _store = await _database.OpenAsync(_time);

    public async ValueTask DisposeAsync()
    {
        await _store.DisposeAsync();
        _database.Dispose();
    }

    [Fact]
    public async Task One_runs_all_of_it_and_the_other_goes_on_with_all_of_it_when_the_first_has_stopped()
    {
        await using var first = await Server.StartAsync(_store);
        await Wait.Until(() => first.HasTurned(1));
        await using var second = await Server.StartAsync(_store);
        await first.StopAsync();
        await Wait.Until(() => second.HasTurned(2));
        Assert.All(first.Turns, turn => Assert.Equal(1, turn.Epoch));
        Assert.All(second.Turns, turn => Assert.Equal(2, turn.Epoch));
        Assert.Null(first.Leadership.Current);
        Assert.Equal(2, second.Leadership.Current!.Fence.Epoch);
    }

    [Fact]
    public async Task Where_another_has_taken_the_lease_all_of_it_rests_and_goes_on_under_the_next()
    {
        await using var server = await Server.StartAsync(_store);
        await Wait.Until(() => server.HasTurned(1));
        var lead = server.Leadership.Current!;
        // Free again already, and of another epoch: whoever writes under the old one is refused.
        await _store.WriteAsync(s => s.Execute("UPDATE leases SET holder = '', epoch = 2, expires_at = 0"), Ct);
        _store.Signals.Raise("jobs");
        await Wait.Until(() => server.HasTurned(3));
        Assert.True(lead.Over.IsCancellationRequested);
        Assert.DoesNotContain(server.Turns, turn => turn.Epoch == 2);
    }

    [Fact]
    public async Task A_leader_that_writes_nothing_hears_of_its_loss_before_another_may_lead()
    {
        await using var server = await Server.StartAsync(_store);
        await Wait.Until(() => server.HasTurned(1));
        var lead = server.Leadership.Current!;
        await _store.WriteAsync(s => s.Execute(
            "UPDATE leases SET holder = 'another', epoch = 2, expires_at = @far", new { far = s.NowMicros + 3_600_000_000 }), Ct);
        await Wait.Until(() =>
        {
            _time.Advance(TimeSpan.FromMilliseconds(100));
            return lead.Over.IsCancellationRequested;
        });
        Assert.True(_time.GetUtcNow() - _time.Start <= s_time, "It led on beyond its lease.");
        Assert.Null(server.Leadership.Current);
    }

    /// <summary>What a server runs for the leader: jobs that write under the lead, and endpoints that do not.</summary>
    private sealed class Server : IAsyncDisposable
    {
        private readonly StoppableHost _host = new();
        private readonly ConcurrentQueue<(string Name, long Epoch)> _turns = new();
        private readonly List<ReconcilerLoop> _loops = [];

        private Server(Store store)
        {
            Leadership = new Leadership(store, s_time, _host, new Lines<Leadership>());
            _loops.Add(Loop(store, "jobs", fence => store.WriteAsync(s => s.RequireFence(fence), Ct)));
            _loops.Add(Loop(store, "endpoints", _ => Task.CompletedTask));
        }

        public Leadership Leadership { get; }

        public IReadOnlyCollection<(string Name, long Epoch)> Turns => _turns;

        public static async Task<Server> StartAsync(Store store)
        {
            var server = new Server(store);
            await server.Leadership.StartAsync(Ct);
            foreach (var loop in server._loops)
                await loop.StartAsync(Ct);
            return server;
        }

        public bool HasTurned(long epoch) => _turns.Contains(("jobs", epoch)) && _turns.Contains(("endpoints", epoch));

        public async Task StopAsync()
        {
            foreach (var loop in _loops)
                await loop.StopAsync(Ct);
            await Leadership.StopAsync(Ct);
        }

        public async ValueTask DisposeAsync()
        {
            await StopAsync();
            _loops.ForEach(loop => loop.Dispose());
            Leadership.Dispose();
            Assert.False(_host.IsStopping);
        }

        private ReconcilerLoop Loop(Store store, string name, Func<Fence, Task> turn) => new(
            new Reconciler(name, async (fence, _) =>
            {
                await turn(fence!);
                _turns.Enqueue((name, fence!.Epoch));
            }) { OnlyLeader = true },
            store, _host, new Lines<ReconcilerLoop>(), Leadership);
    }
}
