namespace Cairn.State.Tests;

/// <summary>What only a SQLite file can do to a store.</summary>
public sealed class SqliteFileTests : IDisposable
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private readonly SqliteDatabase _database = new();

    public void Dispose() => _database.Dispose();

    [Fact]
    public async Task A_second_server_on_the_same_file_is_refused_by_name_until_the_first_is_gone()
    {
        await using (await _database.OpenAsync())
        {
            var error = await Assert.ThrowsAsync<StoreException>(() => _database.OpenAsync());
            Assert.Equal(StoreFault.Closed, error.Fault);
            Assert.Contains(_database.Address, error.Message, StringComparison.Ordinal);
        }
        await using var next = await _database.OpenAsync();
    }

    [Fact]
    public async Task Rows_survive_every_flush_with_the_settings_that_make_them_durable()
    {
        await using var store = await _database.OpenAsync();
        var settings = await store.WriteAsync(
            s => (s.Scalar<string>("PRAGMA journal_mode"), s.Scalar<int>("PRAGMA synchronous"), s.Scalar<int>("PRAGMA foreign_keys")), Ct);
        Assert.Equal(("wal", 2, 1), settings);
    }

    [Fact]
    public async Task A_full_disk_fails_the_works_it_meets_and_the_store_goes_on()
    {
        await using var store = await _database.OpenAsync();
        await store.WriteAsync(s => s.Execute("INSERT INTO things (id, name, size) VALUES ('before', 'n', 0)"), Ct);
        var pages = await store.WriteAsync(s => s.Scalar<long>("PRAGMA page_count"), Ct);
        // SQLite refuses to grow beyond this, with the same error as a disk without room.
        await store.WriteAsync(s => s.Scalar<long>($"PRAGMA max_page_count = {pages + 8}"), Ct);

        var text = new string('x', 20_000);
        var works = Enumerable.Range(0, 20).Select(i => store.WriteAsync(
            s => s.Execute("INSERT INTO things (id, name, size) VALUES (@id, @text, 0)", new { id = $"big{i}", text }), Ct)).ToList();
        var failed = 0;
        foreach (var work in works)
        {
            if (await Record.ExceptionAsync(() => work) is not { } error)
                continue;
            failed++;
            var full = Assert.IsType<StoreException>(error);
            Assert.Equal(StoreFault.Full, full.Fault);
            Assert.True(full.IsTransient);
            Assert.Contains(_database.Address, full.Message, StringComparison.Ordinal);
        }
        Assert.InRange(failed, 1, 20);
        Assert.Equal(1 + 20 - failed, await store.ReadAsync(s => s.Scalar<long>("SELECT count(*) FROM things"), Ct));

        await store.WriteAsync(s => s.Scalar<long>("PRAGMA max_page_count = 1000000"), Ct);
        await store.WriteAsync(s => s.Execute("INSERT INTO things (id, name, size) VALUES ('after', @text, 0)", new { text }), Ct);
        Assert.Equal(["ok"], await store.ReadAsync(s => s.Query<string>("PRAGMA integrity_check"), Ct));
    }

    [Fact]
    public async Task A_file_that_is_no_database_is_said_to_be_none_and_stays_as_it_is()
    {
        var content = new string('n', 10_000);
        await File.WriteAllTextAsync(_database.Address, content, Ct);
        var error = await Assert.ThrowsAsync<StoreException>(() => _database.OpenAsync());
        Assert.Equal(StoreFault.Corrupt, error.Fault);
        Assert.Contains(_database.Address, error.Message, StringComparison.Ordinal);
        Assert.Equal(content, await File.ReadAllTextAsync(_database.Address, Ct));
    }

    [Fact]
    public async Task A_folder_is_no_database()
    {
        Directory.CreateDirectory(_database.Address);
        var error = await Assert.ThrowsAsync<StoreException>(() => _database.OpenAsync());
        Assert.Contains("is a folder", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nobody_else_may_read_the_files()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no file modes.");
        await using var store = await _database.OpenAsync();
        await store.WriteAsync(s => s.Execute("INSERT INTO things (id, name, size) VALUES ('a', 'n', 0)"), Ct);
        Assert.All(Directory.EnumerateFiles(Path.GetDirectoryName(_database.Address)!, "rows.db*"),
            path => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path)));
    }

    [Fact]
    public async Task A_missing_folder_is_made()
    {
        var path = Path.Combine(Path.GetDirectoryName(_database.Address)!, "new", "deep", "rows.db");
        await using var store = await Store.OpenAsync(new StoreOptions { Database = path }, [], TimeProvider.System, Ct);
        Assert.True(File.Exists(path));
    }
}
