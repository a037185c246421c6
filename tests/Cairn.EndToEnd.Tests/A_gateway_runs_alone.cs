using System.Net.Http.Json;
using System.Text.Json;
using Cairn.Frameworks.Onnx.Decoders;

namespace Cairn.EndToEnd.Tests;

/// <summary>What docs/gateway.md promises of <c>cairn gateway</c>, through the real program: processes are killed, nobody is told.</summary>
[Trait("speed", "slow")]
public sealed class A_gateway_runs_alone
{
    private const string Secret = "sk-outside-4711";

    [Fact]
    public async Task It_serves_within_its_budgets_while_the_server_is_gone_and_all_is_charged_once()
    {
        await using var outside = await OutsideProvider.StartAsync();
        await using var server = await CairnUp.StartServerAsync();
        await server.GrantAsync(10);
        await AddProviderAsync(server, outside);
        var key = await CreateKeyAsync(server, "app", 1.0);
        await using var gateway = await CairnGatewayAlone.StartAsync(server, "edge-1");
        await gateway.UntilAsync("ok");
        await gateway.UntilBorrowedAsync(purses: 2);
        using var client = gateway.NewClient(key);

        Assert.Equal(200, await CairnGatewayAlone.StatusAsync(client, "chat"));
        await Eventually.TrueAsync(async () => (await server.GetAsync("usage")).GetProperty("total").GetDecimal() == 0.01m, "the server has the usage");

        // Half of the dollar is the gateway's for as long as the server is gone, across its own death.
        await server.KillAsync();
        await gateway.UntilAsync("ok, the server is away");
        var before = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => CairnGatewayAlone.StatusAsync(client, "chat")));
        Assert.All(before, status => Assert.Equal(200, status));
        // A kill loses what ended within the last second. The first counts too: its gateway may not have heard that the server took it.
        await Eventually.TrueAsync(async () => await gateway.RequestsWrittenAsync() == 21, "the usage is on disk");
        await gateway.KillAsync();
        await gateway.StartAgainAsync();
        Assert.Equal("ok, the server is away", await gateway.HealthAsync());
        var after = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => CairnGatewayAlone.StatusAsync(client, "chat")));
        var answered = after.Count(status => status == 200);
        Assert.Equal(29, answered);
        Assert.Equal(100, answered + after.Count(status => status == 503));
        using (var refused = await CairnGatewayAlone.AskAsync(client, "chat"))
            Assert.Contains("budget_unconfirmed", await refused.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.Equal(503, await KeptAsync(client));

        // Back again: everything arrives once, and the other half is lent as it is needed, and not a cent more.
        await server.StartAgainAsync();
        await gateway.UntilAsync("ok");
        await Eventually.TrueAsync(async () => (await server.GetAsync("usage")).GetProperty("total").GetDecimal() == 0.21m + answered * 0.01m, "what was spent meanwhile has arrived");
        var rest = await Task.WhenAll(Enumerable.Range(0, 80).Select(_ => CairnGatewayAlone.DecidedAsync(client, "chat")));
        Assert.Equal((79 - answered, 1 + answered), (rest.Count(status => status == 200), rest.Count(status => status == 429)));
        Assert.Equal(0, await gateway.StopAsync());
        Assert.Equal(1m, (await server.GetAsync("usage")).GetProperty("total").GetDecimal());
        Assert.Equal(9, (await server.GetAsync("projects/default/balance")).GetProperty("available").GetDecimal());
        Assert.Equal(100, (await server.GetAsync("usage")).GetProperty("rows")[0].GetProperty("requests").GetInt64());
        await server.RequireSoundLedgerAsync();
        Assert.True((await server.GetAsync("gateways")).GetProperty("items")[0].GetProperty("departed").GetBoolean());
    }

    [Fact]
    public async Task Two_of_them_and_the_server_share_a_dollar_and_never_pass_it()
    {
        await using var outside = await OutsideProvider.StartAsync();
        await using var server = await CairnUp.StartServerAsync();
        await server.GrantAsync(10);
        await AddProviderAsync(server, outside);
        var key = await CreateKeyAsync(server, "app", 1.0);
        await using var one = await CairnGatewayAlone.StartAsync(server, "edge-1");
        await using var two = await CairnGatewayAlone.StartAsync(server, "edge-2");
        await one.UntilAsync("ok");
        await two.UntilAsync("ok");
        using var own = new HttpClient { BaseAddress = new Uri(server.Address) };
        own.DefaultRequestHeaders.Authorization = new("Bearer", key);
        using var first = one.NewClient(key);
        using var second = two.NewClient(key);
        HttpClient[] ways = [first, second, own];
        var answers = await Task.WhenAll(Enumerable.Range(0, 150).Select(i => CairnGatewayAlone.DecidedAsync(ways[i % 3], "chat")));
        Assert.True(answers.All(status => status is 200 or 429), string.Join(',', answers));

        // What one holds idle goes to whoever asks: in the end all of the dollar is spent through one alone.
        await Eventually.TrueAsync(async () => await CairnGatewayAlone.StatusAsync(first, "chat") == 429 && await TotalAsync(server) == 1m, "the dollar is spent");
        Assert.Equal(429, await CairnGatewayAlone.DecidedAsync(second, "chat"));
        Assert.Equal(429, await CairnGatewayAlone.StatusAsync(own, "chat"));
        await server.RequireSoundLedgerAsync();
        Assert.Equal(100, outside.Keys.Count);
    }

    [Fact]
    public async Task It_keeps_its_secrets_to_itself_and_forgets_them_when_its_key_is_revoked()
    {
        await using var outside = await OutsideProvider.StartAsync();
        await using var server = await CairnUp.StartServerAsync();
        await AddProviderAsync(server, outside);
        await using var gateway = await CairnGatewayAlone.StartAsync(server, "edge-1");
        await gateway.UntilAsync("ok");
        var snapshot = Path.Combine(gateway.Folder, "snapshot.json");
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(snapshot));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(gateway.Folder));
        Assert.DoesNotContain(Secret, gateway.Program.Log, StringComparison.Ordinal);
        Assert.Contains("edge-1", (await server.Cli.RunAsync("gateways")).Succeeded().Out, StringComparison.Ordinal);

        // Its key does nothing that a person's does, and nobody's key but an admin's does what its does.
        var keys = (await server.GetAsync("keys")).GetProperty("items").EnumerateArray().ToList();
        var member = await CreateKeyAsync(server, "app", 1.0, "member");
        Assert.Equal(403, await StatusOfAsync(server, member, "gateway/feed?gateway=" + Guid.Empty + "&name=x"));

        (await server.Cli.RunAsync("keys", "revoke", keys.Single(k => k.GetProperty("name").GetString() == "edge-1").GetProperty("id").GetString()!)).Succeeded();
        await Eventually.TrueAsync(() => Task.FromResult(gateway.Program.HasExited), "the gateway has ended");
        Assert.False(File.Exists(snapshot));
        await Eventually.TrueAsync(() => Task.FromResult(gateway.Program.Log.Contains("refuses this gateway", StringComparison.Ordinal)), "its last word has arrived");
    }

    [Fact]
    public async Task It_wakes_a_sleeping_model_streams_through_the_servers_tunnel_and_directly_without_the_server()
    {
        await using var server = await CairnUp.StartServerAsync();
        await using var node = await CairnNode.JoinAsync(server, "worker");
        var folder = Path.Combine(server.Folder, "tiny");
        DecoderFolder.Write(folder, DecoderShape.Tiny, weights: RandomWeights.Seeded(7));
        (await server.Cli.RunAsync("serve", folder, "--name", "tiny", "--min", "0", "--max", "1", "--scale-to-zero-delay", "2")).Succeeded();
        await Eventually.TrueAsync(async () => (await server.GetAsync("endpoints/tiny")).GetProperty("phase").GetString() == "asleep", "it sleeps");
        await using var through = await CairnGatewayAlone.StartAsync(server, "through");
        await using var direct = await CairnGatewayAlone.StartAsync(server, "direct", "--direct-replicas");
        await through.UntilAsync("ok");
        using var client = through.NewClient(server.AdminKey());
        using var near = direct.NewClient(server.AdminKey());

        Assert.Equal("data: [DONE]", (await StreamAsync(client))[^1]);
        (await server.Cli.RunAsync("scale", "tiny", "1..1")).Succeeded();
        // One replica that stays; whoever is answered now knows that it is ready, and no other is left that could have answered.
        await Eventually.TrueAsync(async () => (await server.GetAsync("endpoints/tiny")).List("replicas") is [var one] && one.Text("phase") == "ready", "it stays awake");
        Assert.Equal("data: [DONE]", (await StreamAsync(near))[^1]);
        Assert.Equal("data: [DONE]", (await StreamAsync(client))[^1]);
        await server.KillAsync();
        await direct.UntilAsync("ok, the server is away");
        await through.UntilAsync("ok, the server is away");

        Assert.Equal("data: [DONE]", (await StreamAsync(near))[^1]);
        Assert.Equal(502, await CairnGatewayAlone.StatusAsync(client, "tiny"));
        await direct.KillAsync();
        await direct.StartAgainAsync();
        Assert.Equal("data: [DONE]", (await StreamAsync(near))[^1]);
        await server.StartAgainAsync();
        await through.UntilAsync("ok");
        await Eventually.TrueAsync(async () => await CairnGatewayAlone.StatusAsync(client, "tiny") == 200, "the tunnel leads there again");
    }

    private static async Task<List<string>> StreamAsync(HttpClient client)
    {
        using var response = await client.PostAsJsonAsync("/v1/completions", new { model = "tiny", prompt = "Hello", max_tokens = 6, ignore_eos = true, stream = true },
            TestContext.Current.CancellationToken);
        var text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(response.IsSuccessStatusCode, text);
        return [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries)];
    }

    private static async Task<int> KeptAsync(HttpClient client)
    {
        using var response = await client.GetAsync("/v1/responses/resp_1", TestContext.Current.CancellationToken);
        return (int)response.StatusCode;
    }

    private static async Task<decimal> TotalAsync(CairnUp server) => (await server.GetAsync("usage")).GetProperty("total").GetDecimal();

    private static async Task<int> StatusOfAsync(CairnUp server, string key, string path)
    {
        using var client = server.NewClient(key);
        using var response = await client.GetAsync(path, TestContext.Current.CancellationToken);
        return (int)response.StatusCode;
    }

    private static async Task AddProviderAsync(CairnUp server, OutsideProvider outside) => (await server.Cli.RunWithAsync([("OUTSIDE_KEY", Secret)],
        ["providers", "add", "acme", "--url", outside.BaseUrl, "--key-env", "OUTSIDE_KEY", "--model", "chat=up", "--output-price", "10000"])).Succeeded();

    private static async Task<string> CreateKeyAsync(CairnUp server, string name, double budget, string role = "inference")
    {
        using var admin = server.NewClient();
        using var response = await admin.PostAsJsonAsync("keys", new { name, role, limits = new { budget, budget_period = "monthly" } }, TestContext.Current.CancellationToken);
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        return (await response.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken)).GetProperty("key").GetString()!;
    }
}
