namespace Cairn.State.Tests;

public abstract class Store_migrates(Func<Database> database) : StoreContract(database)
{
    [Fact]
    public async Task New_migrations_are_applied_once_and_in_order()
    {
        await using (var store = await Database.OpenAsync())
            await AddThing(store, "a");
        Migration[] more =
        [
            .. Database.Schema,
            new("test", 3, "ALTER TABLE things ADD COLUMN colour TEXT; UPDATE things SET colour = 'grey'"),
            new("other", 1, "CREATE TABLE others (id TEXT PRIMARY KEY, thing_id TEXT NOT NULL REFERENCES things (id))"),
        ];
        for (var i = 0; i < 2; i++)
        {
            await using var store = await Database.OpenAsync(migrations: more);
            Assert.Equal("grey", await store.ReadAsync(s => s.Scalar<string>("SELECT colour FROM things"), Ct));
            Assert.Equal([("other", 1), ("state", 1), ("test", 1), ("test", 2), ("test", 3)],
                await store.ReadAsync(s => s.Query<(string, int)>("SELECT area, number FROM migrations ORDER BY area, number"), Ct));
            var orphan = await Assert.ThrowsAsync<StoreException>(
                () => store.WriteAsync(s => s.Execute("INSERT INTO others (id, thing_id) VALUES ('o', 'none')"), Ct));
            Assert.Equal(StoreFault.Constraint, orphan.Fault);
        }
    }

    [Fact]
    public async Task A_migration_that_was_changed_after_it_was_applied_is_refused()
    {
        await using (await Database.OpenAsync())
        {
        }
        Migration[] changed = [Database.Schema[0], Database.Schema[1] with { Sql = "CREATE TABLE counters (name TEXT)" }];
        var error = await Assert.ThrowsAsync<StoreException>(() => Database.OpenAsync(migrations: changed));
        Assert.Contains("Migration 2 of 'test'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_database_of_a_newer_program_is_refused()
    {
        await using (await Database.OpenAsync())
        {
        }
        var error = await Assert.ThrowsAsync<StoreException>(() => Database.OpenAsync(migrations: [Database.Schema[0]]));
        Assert.Contains("newer", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_migration_that_fails_is_named_and_leaves_nothing()
    {
        Migration[] bad = [.. Database.Schema, new("test", 3, "CREATE TABLE halves (id TEXT PRIMARY KEY); INSERT INTO nowhere VALUES (1)")];
        var error = await Assert.ThrowsAsync<StoreException>(() => Database.OpenAsync(migrations: bad));
        Assert.Contains("Migration 3 of 'test' failed", error.Message, StringComparison.Ordinal);
        await using var store = await Database.OpenAsync();
        await Assert.ThrowsAsync<StoreException>(() => store.ReadAsync(s => s.Query<string>("SELECT id FROM halves"), Ct));
    }

    [Fact]
    public async Task Numbers_that_skip_or_repeat_are_refused() => await Assert.ThrowsAsync<ArgumentException>(
        () => Database.OpenAsync(migrations: [Database.Schema[0], Database.Schema[1] with { Number = 3 }]));
}

public sealed class Store_migrates_on_SQLite() : Store_migrates(() => new SqliteDatabase());

public sealed class Store_migrates_on_PostgreSQL(PostgresServer server) : Store_migrates(() => new PostgresDatabase(server));
