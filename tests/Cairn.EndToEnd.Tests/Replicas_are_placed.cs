using System.Net;
using System.Text.Json;

namespace Cairn.EndToEnd.Tests;

/// <summary>Where an endpoint's replicas go: near its users, and some of them where nothing is taken away. The places are played by this machine and marked as simulated.</summary>
[Trait("speed", "slow")]
public sealed class Replicas_are_placed
{
    private const string Server = """
        resources: {cpus: 0.1}
        service: {port: 8000, readiness: /}
        run: exec /usr/bin/python3 -m http.server "$PORT" --bind 127.0.0.1
        """;

    [Fact]
    public async Task Near_the_users_though_elsewhere_is_cheaper()
    {
        await using var server = await CairnUp.StartServerAsync();
        await server.GrantAsync(100);
        await using var near = await CairnNode.JoinAsync(server, "frankfurt", "--play", "--price", "4", "--region", "eu", "--coordinates", "50.1,8.7");
        await using var far = await CairnNode.JoinAsync(server, "tokyo", "--play", "--price", "1", "--region", "jp", "--coordinates", "35.7,139.7");
        var file = server.WriteFile("site.yaml", "name: site\nwhere: {latency: {max: 30ms, from: [Munich, Paris]}}\n" + Server);
        (await server.Cli.RunAsync("serve", file, "--min", "2", "--max", "2")).Succeeded();
        await ReadyAsync(server, "site", 2);
        Assert.All(await ReplicasAsync(server, "site"), r => Assert.Equal(("frankfurt", true), (r.GetProperty("node").GetString(), r.GetProperty("simulated").GetBoolean())));

        var nowhere = server.WriteFile("nowhere.yaml", "name: nowhere\nwhere: {latency: {max: 30ms, from: [Sydney]}}\n" + Server);
        (await server.Cli.RunAsync("serve", nowhere, "--detach")).Succeeded();
        await Eventually.TrueAsync(async () => (await server.GetAsync("endpoints/nowhere")).GetProperty("events").EnumerateArray().Any(e =>
            e.GetProperty("kind").GetString() == "replica_refused" && e.GetProperty("message").GetString()!.Contains("needs 30 ms from Sydney", StringComparison.Ordinal)), "every node's reason is told");
    }

    [Fact]
    public async Task A_base_where_nothing_is_taken_away_and_the_rest_where_it_is_cheap()
    {
        await using var server = await CairnUp.StartServerAsync("--heartbeat", "1", "--unhealthy-after", "6", "--lost-after", "15");
        await server.GrantAsync(100);
        await using var stays = await CairnNode.JoinAsync(server, "stays", "--play", "--price", "4", "--region", "a");
        await using var spot = await CairnNode.JoinAsync(server, "cheap", "--play", "--price", "1", "--region", "b", "--spot");
        var file = server.WriteFile("mixed.yaml", "name: mixed\nwhere: {interruptible: true}\n" + Server.Replace("readiness: /", "readiness: /, on_demand: {base: 1}", StringComparison.Ordinal));
        (await server.Cli.RunAsync("serve", file, "--min", "2", "--max", "2")).Succeeded();
        await ReadyAsync(server, "mixed", 2);
        Assert.Equal(["cheap", "stays"], (await ReplicasAsync(server, "mixed")).Select(r => r.GetProperty("node").GetString()).Order());

        // What does not allow it never goes there, however cheap.
        var firm = server.WriteFile("firm.yaml", "name: firm\n" + Server);
        (await server.Cli.RunAsync("serve", firm)).Succeeded();
        Assert.Equal("stays", Assert.Single(await ReplicasAsync(server, "firm")).GetProperty("node").GetString());

        (await server.Cli.RunAsync("stop", "firm")).Succeeded();
        await Eventually.TrueAsync(async () => (await server.GetAsync("endpoints")).GetProperty("items").GetArrayLength() == 1, "firm has ended");

        // The machine is taken away: the endpoint answers on what stays, and gets back what it lost.
        await spot.LoseMachineAsync();
        using var client = server.NewClient();
        client.BaseAddress = new Uri(server.Address);
        var whole = ReadyOnAsync(server, "mixed", "stays", 2);
        while (!whole.IsCompleted)
        {
            using var response = await client.GetAsync("/endpoints/mixed/", TestContext.Current.CancellationToken);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            Assert.Contains(await ReplicasAsync(server, "mixed"), r => IsReadyOn(r, "stays"));
            await Task.Delay(TimeSpan.FromMilliseconds(200), TestContext.Current.CancellationToken);
        }
        await whole;
    }

    [Fact]
    public async Task Over_regions_though_one_is_cheapest()
    {
        await using var server = await CairnUp.StartServerAsync();
        await server.GrantAsync(100);
        await using var one = await CairnNode.JoinAsync(server, "one", "--play", "--price", "1", "--region", "a");
        await using var two = await CairnNode.JoinAsync(server, "two", "--play", "--price", "2", "--region", "b");
        await using var three = await CairnNode.JoinAsync(server, "three", "--play", "--price", "3", "--region", "c");
        var file = server.WriteFile("wide.yaml", "name: wide\n" + Server.Replace("readiness: /", "readiness: /, spread: true", StringComparison.Ordinal));
        (await server.Cli.RunAsync("serve", file, "--min", "4", "--max", "4")).Succeeded();
        await ReadyAsync(server, "wide", 4);
        Assert.Equal(["one", "one", "three", "two"], (await ReplicasAsync(server, "wide")).Select(r => r.GetProperty("node").GetString()).Order());
    }

    private static Task ReadyAsync(CairnUp server, string endpoint, int replicas) =>
        Eventually.TrueAsync(async () => (await server.GetAsync("endpoints/" + endpoint)).GetProperty("ready").GetInt32() == replicas, $"{endpoint} has {replicas} ready replicas");

    private static Task ReadyOnAsync(CairnUp server, string endpoint, string node, int replicas) => Eventually.TrueAsync(
        async () => (await ReplicasAsync(server, endpoint)).Count(r => IsReadyOn(r, node)) == replicas,
        $"{endpoint} has {replicas} ready replicas on {node}");

    private static bool IsReadyOn(JsonElement replica, string node) =>
        replica.GetProperty("phase").GetString() == "ready" && replica.TryGetProperty("node", out var at) && at.GetString() == node;

    private static async Task<List<JsonElement>> ReplicasAsync(CairnUp server, string endpoint) =>
        [.. (await server.GetAsync("endpoints/" + endpoint)).GetProperty("replicas").EnumerateArray()];
}
