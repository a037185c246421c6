using System.Net.Http.Json;
using Cairn.Frameworks.Onnx.Decoders;
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

    [Fact]
    public async Task Jobs_and_endpoints_go_on_together_at_the_other_server_when_the_leader_is_killed()
    {
        var database = postgres.NewDatabase();
        // However slow the machine, the node is not given up before it has come to the second server.
        string[] flags = ["--database", database, "--lost-after", "600"];
        await using var first = await CairnUp.StartServerAsync(flags);
        await using var second = await CairnUp.StartBesideAsync(first, flags);
        // The second knows of nothing that begins at the first now.
        await using var node = await CairnNode.JoinAsync(first, "worker");
        var model = Path.Combine(first.Folder, "tiny");
        DecoderFolder.Write(model, DecoderShape.Tiny, weights: RandomWeights.Seeded(7));
        (await first.Cli.RunAsync("serve", model, "--name", "tiny")).Succeeded();
        var steady = first.WriteFile("steady.yaml", "name: steady\nrun: for i in $(seq 75); do echo \"line $i\"; sleep 0.2; done\n");
        (await first.Cli.RunAsync("run", steady, "--yes", "-d")).Succeeded();
        await first.UntilPhaseAsync("steady", "running");

        await first.KillAsync();
        await using var moved = new MovedAddress(first.GrpcPort, second.GrpcPort);
        await Eventually.TrueAsync(async () => await AnswersAsync(second), "the second server serves the model");
        var job = await second.UntilPhaseAsync("steady", "succeeded");
        Assert.Equal(1, job.GetProperty("attempt").GetInt32());
        Assert.Equal(string.Concat(Enumerable.Range(1, 75).Select(i => $"line {i}\n")), await second.LogTextAsync("steady"));
        var replica = Assert.Single((await second.GetAsync("jobs?phase=live")).GetProperty("items").EnumerateArray());
        Assert.Equal(("running", 1), (replica.Text("phase"), replica.GetProperty("attempt").GetInt32()));

        (await second.Cli.RunAsync("run", "examples/hello.yaml", "--yes")).Succeeded();
        (await second.Cli.RunAsync("stop", "tiny")).Succeeded();
        await Eventually.TrueAsync(async () => (await second.GetAsync("endpoints")).GetProperty("items").GetArrayLength() == 0, "the endpoint has ended");
        await second.RequireSoundLedgerAsync();
    }

    private static async Task<bool> AnswersAsync(CairnUp server)
    {
        using var http = server.NewClient();
        using var response = await http.PostAsJsonAsync(
            server.Address + "/v1/completions", new { model = "tiny", prompt = "Hello", max_tokens = 4 }, TestContext.Current.CancellationToken);
        return response.IsSuccessStatusCode;
    }
}
