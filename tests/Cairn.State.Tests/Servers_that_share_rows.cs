using System.Collections.Concurrent;
using Npgsql;

namespace Cairn.State.Tests;

/// <summary>Two servers on one PostgreSQL.</summary>
public sealed class Servers_that_share_rows(PostgresServer server) : IAsyncLifetime
{
    private readonly PostgresDatabase _database = new(server);
    private Store _first = null!;
    private Store _second = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        // At once, so that both find an empty database and want to migrate it.
        var opened = await Task.WhenAll(_database.OpenAsync(), _database.OpenAsync());
        (_first, _second) = (opened[0], opened[1]);
    }

    public async ValueTask DisposeAsync()
    {
        await _first.DisposeAsync();
        await _second.DisposeAsync();
        _database.Dispose();
    }

    [Fact]
    public async Task A_signal_raised_on_one_wakes_those_on_the_other_with_its_payload()
    {
        var heard = new ConcurrentQueue<string?>();
        using var listening = _second.Signals.Subscribe("jobs", heard.Enqueue);
        using var own = _first.Signals.Subscribe("jobs", heard.Enqueue);
        await _first.WriteAsync(s => s.Signal("jobs", "line one\nline two"), Ct);
        await _first.WriteAsync(s => s.Signal("jobs"), Ct);
        await Wait.Until(() => heard.Count == 4);
        Assert.Equal([null, null, "line one\nline two", "line one\nline two"], heard.Order());
    }

    [Fact]
    public async Task Works_that_race_across_servers_lose_no_update()
    {
        await _first.WriteAsync(s => s.Execute("INSERT INTO counters (name, value) VALUES ('n', 0)"), Ct);
        var works = Enumerable.Range(0, 200).Select(i => Task.Run(() => (i % 2 == 0 ? _first : _second).WriteAsync(s =>
        {
            var value = s.Scalar<long>("SELECT value FROM counters WHERE name = 'n'");
            s.Execute("UPDATE counters SET value = @value WHERE name = 'n'", new { value = value + 1 });
        }, Ct), Ct));
        await Task.WhenAll(works);
        Assert.Equal(200, await _second.ReadAsync(s => s.Scalar<long>("SELECT value FROM counters"), Ct));
    }

    [Fact]
    public async Task Two_works_that_each_judge_what_the_other_changes_do_not_both_pass()
    {
        // Write skew: each would be right alone, and both together break the rule that one of the two stays.
        for (var round = 0; round < 20; round++)
        {
            await _first.WriteAsync(s =>
            {
                s.Execute("DELETE FROM things");
                s.ExecuteMany("INSERT INTO things (id, name, size) VALUES (@Id, 'on duty', 0)", [new { Id = "a" }, new { Id = "b" }]);
            }, Ct);
            await Task.WhenAll(Leave(_first, "a"), Leave(_second, "b"));
            Assert.Equal(1, await _first.ReadAsync(s => s.Scalar<long>("SELECT count(*) FROM things WHERE name = 'on duty'"), Ct));
        }

        static Task Leave(Store store, string id) => Task.Run(() => store.WriteAsync(s =>
        {
            if (s.Scalar<long>("SELECT count(*) FROM things WHERE name = 'on duty'") > 1)
                s.Execute("UPDATE things SET name = 'away' WHERE id = @id", new { id });
        }, Ct), Ct);
    }

    [Fact]
    public async Task Of_64_on_two_servers_that_race_for_a_lease_one_wins()
    {
        var won = await Task.WhenAll(Enumerable.Range(0, 64).Select(i => Task.Run(
            () => (i % 2 == 0 ? _first : _second).Leases.AcquireAsync("pool", $"{i}", TimeSpan.FromMinutes(1), Ct), Ct)));
        Assert.Single(won, fence => fence is not null);
    }

    [Fact]
    public async Task A_store_whose_connections_broke_fails_what_was_under_way_and_goes_on()
    {
        await _first.WriteAsync(s => s.Execute("INSERT INTO counters (name, value) VALUES ('n', 0)"), Ct);
        await _first.ReadAsync(s => s.Query<string>("SELECT name FROM counters"), Ct);
        using var wake = _second.Signals.Subscribe("jobs");
        await BreakConnections();

        // Those who wait are woken once the listener is back, for they may have missed a signal.
        Assert.True(await wake.WaitAsync(TimeSpan.FromMinutes(2), Ct));
        await Wait.Until(() => Succeeds(_first.WriteAsync(s => s.Execute("UPDATE counters SET value = value + 1"), Ct)));
        await Wait.Until(() => Succeeds(_first.ReadAsync(s => s.Query<string>("SELECT name FROM counters"), Ct)));
    }

    private static async Task<bool> Succeeds(Task work)
    {
        var error = await Record.ExceptionAsync(() => work);
        if (error is not null)
            Assert.True(Assert.IsType<StoreException>(error).IsTransient, error.Message);
        return error is null;
    }

    private async Task BreakConnections()
    {
        var address = PostgresAddress.Parse(_database.Address);
        address.Pooling = false;
        await using var connection = new NpgsqlConnection(address.ToString());
        await connection.OpenAsync(Ct);
        await using var command = new NpgsqlCommand(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
            connection);
        await command.ExecuteNonQueryAsync(Ct);
    }
}
