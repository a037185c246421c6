namespace Cairn.State.Tests;

/// <summary>What was acknowledged is there after a kill -9 of the server, or a crash of PostgreSQL.</summary>
public sealed class Acknowledged_rows_survive
{
    [Fact]
    public async Task A_kill_of_the_server_on_SQLite()
    {
        using var database = new SqliteDatabase();
        for (var round = 0; round < 3; round++)
        {
            var acknowledged = await KilledWriter.RunAndKillAsync(database.Address, $"{round}", () => { });
            await AssertAllThere(database, acknowledged);
        }
    }

    [Fact]
    [Trait("speed", "slow")]
    public async Task A_crash_of_PostgreSQL()
    {
        await using var server = new PostgresServer();
        using var database = new PostgresDatabase(server);
        var acknowledged = await KilledWriter.RunAndKillAsync(database.Address, "0", server.CrashAndRestart);
        await AssertAllThere(database, acknowledged);
    }

    private static async Task AssertAllThere(Database database, HashSet<string> acknowledged)
    {
        await using var store = await database.OpenAsync();
        var there = await store.ReadAsync(s => s.Query<string>("SELECT id FROM things"), TestContext.Current.CancellationToken);
        Assert.Empty(acknowledged.Except(there));
    }
}
