using Cairn.State.Tests;

namespace Cairn.EndToEnd.Tests;

/// <summary>The same road with its rows in a real PostgreSQL, and a server that dies on it.</summary>
[Trait("speed", "slow")]
public sealed class On_PostgreSQL(PostgresServer postgres) : IClassFixture<PostgresServer>
{
    [Fact]
    public async Task A_workload_runs_and_is_billed_and_the_next_server_knows_it()
    {
        var database = postgres.NewDatabase();
        await using var server = await CairnUp.StartServerAsync("--database", database);
        await using var node = await CairnNode.JoinAsync(server, "worker", "--price", "36");
        await server.GrantAsync(100);
        var hello = await server.Cli.RunAsync("run", "examples/hello.yaml", "--yes");
        hello.Succeeded();
        Assert.StartsWith("Hello from ", hello.Out, StringComparison.Ordinal);

        await server.KillAsync();
        await server.StartAgainAsync();
        var job = await server.JobAsync("hello");
        Assert.Equal("succeeded", job.Text("phase"));
        Assert.Equal(Numbers.CostOf(await server.CpuPriceAsync(36), job.BilledSeconds()), job.Decimal("cost"));
        Assert.Equal(job.Decimal("cost"), (await server.GetAsync("bill")).Decimal("total"));
        Assert.Equal(hello.Out, await server.LogTextAsync("hello"));
        await server.RequireSoundLedgerAsync();
        Assert.False(File.Exists(Path.Combine(server.Folder, "data", "cairn.db")), "rows went to SQLite");

        // The restarted server takes up its lease on the fleet, or waits until the dead one's has run out, and runs the next job.
        await node.UntilHealthyAsync();
        (await server.Cli.RunAsync("run", "examples/hello.yaml", "--yes", "--name", "again")).Succeeded();
    }
}
