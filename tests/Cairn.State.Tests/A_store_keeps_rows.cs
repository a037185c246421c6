namespace Cairn.State.Tests;

/// <summary>What holds over both engines.</summary>
public abstract class A_store_keeps_rows : IDisposable
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private readonly Lazy<Database> _database;

    protected A_store_keeps_rows(Func<Database> database)
    {
        _database = new Lazy<Database>(database);
    }

    private Database Database => _database.Value;

    public void Dispose()
    {
        if (_database.IsValueCreated)
            _database.Value.Dispose();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task What_was_written_is_read_and_is_there_after_opening_again()
    {
        await using (var store = await Database.OpenAsync())
        {
            await store.WriteAsync(s => s.Execute("INSERT INTO things (id, name, size) VALUES (@id, @name, @size)", new { id = "a", name = "x", size = 7 }), Ct);
            Assert.Equal(7, await store.ReadAsync(s => s.Scalar<long>("SELECT size FROM things WHERE id = @id", new { id = "a" }), Ct));
        }
        await using var again = await Database.OpenAsync();
        Assert.Equal([new Thing("a", "x", 7)], await again.ReadAsync(s => s.Query<Thing>("SELECT id, name, size FROM things"), Ct));
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
    public async Task A_lease_has_one_holder_and_its_epoch_fences_the_former()
    {
        await using var store = await Database.OpenAsync();
        var first = await store.Leases.AcquireAsync("pool", "a", TimeSpan.FromMinutes(1), Ct);
        Assert.Null(await store.Leases.AcquireAsync("pool", "b", TimeSpan.FromMinutes(1), Ct));
        await store.Leases.ReleaseAsync(first!, Ct);
        var second = await store.Leases.AcquireAsync("pool", "b", TimeSpan.FromMinutes(1), Ct);
        Assert.Equal(new Fence("pool", "b", 2), second);
        await store.WriteAsync(s => s.RequireFence(second!), Ct);
        await Assert.ThrowsAsync<FenceLostException>(() => store.WriteAsync(s => s.RequireFence(first!), Ct));
        Assert.False(await store.Leases.RenewAsync(first!, TimeSpan.FromMinutes(1), Ct));
    }

    private sealed record Thing(string Id, string Name, int Size);
}

public sealed class A_SQLite_store_keeps_rows() : A_store_keeps_rows(() => new SqliteDatabase());

public sealed class A_PostgreSQL_store_keeps_rows(PostgresServer server) : A_store_keeps_rows(() => new PostgresDatabase(server));
