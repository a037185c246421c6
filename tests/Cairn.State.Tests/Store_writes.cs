namespace Cairn.State.Tests;

public abstract class Store_writes(Func<Database> database) : StoreContract(database)
{
    [Fact]
    public async Task What_was_written_is_read_and_is_there_after_opening_again()
    {
        await using (var store = await Database.OpenAsync())
        {
            await AddThing(store, "a", 7);
            Assert.Equal(7, await store.ReadAsync(s => s.Scalar<long>("SELECT size FROM things WHERE id = @id", new { id = "a" }), Ct));
        }
        await using var again = await Database.OpenAsync();
        Assert.Equal([("a", "n", 7)], await again.ReadAsync(s => s.Query<(string, string, int)>("SELECT id, name, size FROM things"), Ct));
    }

    [Fact]
    public async Task A_work_that_throws_is_undone_alone()
    {
        await using var store = await Database.OpenAsync();
        var works = Enumerable.Range(0, 200).Select(i => store.WriteAsync(s =>
        {
            s.Execute("INSERT INTO things (id, name, size) VALUES (@id, 'n', @i)", new { id = $"{i}", i });
            if (i % 3 == 0)
                throw new InvalidOperationException($"refused {i}");
        }, Ct)).ToList();
        for (var i = 0; i < works.Count; i++)
        {
            if (i % 3 == 0)
                Assert.Equal($"refused {i}", (await Assert.ThrowsAsync<InvalidOperationException>(() => works[i])).Message);
            else
                await works[i];
        }
        var kept = await store.ReadAsync(s => s.Query<int>("SELECT size FROM things ORDER BY size"), Ct);
        Assert.Equal(Enumerable.Range(0, 200).Where(i => i % 3 != 0), kept);
    }

    [Fact]
    public async Task A_work_that_breaks_a_rule_of_the_schema_says_so_and_leaves_its_neighbours_alone()
    {
        await using var store = await Database.OpenAsync();
        await AddThing(store, "a");
        var works = Enumerable.Range(0, 20).Select(i => AddThing(store, i % 2 == 0 ? "a" : $"{i}")).ToList();
        for (var i = 0; i < works.Count; i += 2)
        {
            var error = await Assert.ThrowsAsync<StoreException>(() => works[i]);
            Assert.Equal(StoreFault.Constraint, error.Fault);
            Assert.Contains("INSERT INTO things", error.Message, StringComparison.Ordinal);
            Assert.False(error.IsTransient);
        }
        Assert.Equal(11, await CountThings(store));
    }

    [Fact]
    public async Task A_work_that_catches_the_error_of_its_statement_is_refused_all_the_same()
    {
        await using var store = await Database.OpenAsync();
        await AddThing(store, "a");
        var works = Enumerable.Range(0, 20).Select(i => store.WriteAsync(s =>
        {
            s.Execute("INSERT INTO things (id, name, size) VALUES (@id, 'n', 0)", new { id = $"{i}" });
            if (i % 2 == 0)
                Record.Exception(() => s.Execute("INSERT INTO things (id, name, size) VALUES ('a', 'n', 0)"));
        }, Ct)).ToList();
        for (var i = 0; i < works.Count; i++)
        {
            if (i % 2 == 0)
                Assert.Equal(StoreFault.Constraint, (await Assert.ThrowsAsync<StoreException>(() => works[i])).Fault);
            else
                await works[i];
        }
        Assert.Equal(11, await CountThings(store));
    }

    [Fact]
    public async Task A_wrong_statement_is_named()
    {
        await using var store = await Database.OpenAsync();
        var error = await Assert.ThrowsAsync<StoreException>(() => store.WriteAsync(s => s.Execute("UPDATE nowhere SET x = 1"), Ct));
        Assert.Equal(StoreFault.Statement, error.Fault);
        Assert.Contains("UPDATE nowhere", error.Message, StringComparison.Ordinal);
        await AddThing(store, "still works");
    }

    [Fact]
    public async Task A_work_sees_its_own_rows_and_those_before_it()
    {
        await using var store = await Database.OpenAsync();
        await AddThing(store, "a");
        var count = await store.WriteAsync(s =>
        {
            s.ExecuteMany("INSERT INTO things (id, name, size) VALUES (@Id, @Name, @Size)", [new Row("b", "x", 1), new Row("c", "y", 2)]);
            return s.Scalar<int>("SELECT count(*) FROM things");
        }, Ct);
        Assert.Equal(3, count);
    }

    [Fact]
    public async Task Rows_come_back_from_an_upsert()
    {
        await using var store = await Database.OpenAsync();
        const string add =
            """
            INSERT INTO counters (name, value) VALUES (@name, @by)
            ON CONFLICT (name) DO UPDATE SET value = counters.value + excluded.value RETURNING value
            """;
        Assert.Equal(3, await store.WriteAsync(s => s.Scalar<long>(add, new { name = "n", by = 3 }), Ct));
        Assert.Equal(8, await store.WriteAsync(s => s.Scalar<long>(add, new { name = "n", by = 5 }), Ct));
    }

    [Fact]
    public async Task A_work_whose_token_is_cancelled_before_it_starts_does_not_run()
    {
        await using var store = await Database.OpenAsync();
        using var cancelled = new CancellationTokenSource();
        using var gate = new ManualResetEventSlim();
        var busy = await Occupy(store, gate);
        var waiting = store.WriteAsync(s => s.Execute("INSERT INTO things (id, name, size) VALUES ('x', 'n', 0)"), cancelled.Token);
        await cancelled.CancelAsync();
        gate.Set();
        await busy;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        Assert.Equal(0, await CountThings(store));
    }

    [Fact]
    public async Task Actions_after_the_commit_run_only_for_works_that_were_kept()
    {
        await using var store = await Database.OpenAsync();
        var ran = new System.Collections.Concurrent.ConcurrentBag<int>();
        var works = Enumerable.Range(0, 20).Select(i => store.WriteAsync(s =>
        {
            s.AfterCommit(() => ran.Add(i));
            if (i % 2 == 0)
                throw new InvalidOperationException("refused");
        }, Ct)).ToList();
        foreach (var work in works)
            await Record.ExceptionAsync(() => work);
        Assert.Equal(Enumerable.Range(0, 20).Where(i => i % 2 == 1), ran.Order());
    }

    [Fact]
    public async Task A_session_is_dead_once_its_work_has_returned()
    {
        await using var store = await Database.OpenAsync();
        var escaped = await store.WriteAsync(s => s, Ct);
        Assert.Throws<InvalidOperationException>(() => escaped.Execute("DELETE FROM things"));
    }

    [Fact]
    public async Task A_closed_store_finishes_what_it_took_and_takes_no_more()
    {
        var store = await Database.OpenAsync();
        var taken = Enumerable.Range(0, 50).Select(i => AddThing(store, $"{i}")).ToList();
        await store.DisposeAsync();
        await Task.WhenAll(taken);
        Assert.Equal(StoreFault.Closed, (await Assert.ThrowsAsync<StoreException>(() => AddThing(store, "late"))).Fault);
        Assert.Equal(StoreFault.Closed, (await Assert.ThrowsAsync<StoreException>(() => CountThings(store))).Fault);
        await store.DisposeAsync();
        await using var again = await Database.OpenAsync();
        Assert.Equal(50, await CountThings(again));
    }

    private sealed record Row(string Id, string Name, int Size);
}

public sealed class Store_writes_on_SQLite() : Store_writes(() => new SqliteDatabase());

public sealed class Store_writes_on_PostgreSQL(PostgresServer server) : Store_writes(() => new PostgresDatabase(server));
