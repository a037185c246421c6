[assembly: AssemblyFixture(typeof(Cairn.State.Tests.PostgresServer))]

namespace Cairn.State.Tests;

/// <summary>Makes empty databases of one engine, and stores over them.</summary>
public abstract class Database : IDisposable
{
    public static IReadOnlyList<Migration> Schema { get; } =
    [
        new("test", 1, "CREATE TABLE things (id TEXT PRIMARY KEY, name TEXT NOT NULL, size BIGINT NOT NULL)"),
        new("test", 2, "CREATE TABLE counters (name TEXT PRIMARY KEY, value BIGINT NOT NULL CHECK (value >= 0))"),
    ];

    public abstract string Address { get; }

    public virtual void Dispose() => GC.SuppressFinalize(this);

    public Task<Store> OpenAsync(TimeProvider? time = null, IReadOnlyList<Migration>? migrations = null) => Store.OpenAsync(
        new StoreOptions { Database = Address }, migrations ?? Schema, time ?? TimeProvider.System, TestContext.Current.CancellationToken);
}

public sealed class SqliteDatabase : Database
{
    private readonly string _folder = Directory.CreateTempSubdirectory("cairn-state-").FullName;

    public override string Address => Path.Combine(_folder, "rows.db");

    public override void Dispose()
    {
        Directory.Delete(_folder, recursive: true);
        base.Dispose();
    }
}

public sealed class PostgresDatabase(PostgresServer server) : Database
{
    public override string Address { get; } = server.NewDatabase();
}
