namespace Cairn.EndToEnd.Tests;

/// <summary>A project's credits where they are spent at several places, through the real program.</summary>
[Trait("speed", "slow")]
public sealed class Credits_beyond_the_server
{
    [Fact]
    public async Task A_server_and_a_gateway_alone_share_a_projects_dollar_and_what_was_lent_and_not_spent_comes_back()
    {
        await using var outside = await OutsideProvider.StartAsync();
        await using var server = await CairnUp.StartServerAsync();
        await server.GrantAsync(1);
        (await server.Cli.RunWithAsync([("OUTSIDE_KEY", "sk-outside")],
            ["providers", "add", "acme", "--url", outside.BaseUrl, "--key-env", "OUTSIDE_KEY", "--model", "chat=up", "--output-price", "10000"])).Succeeded();
        var key = (await server.Cli.RunAsync("keys", "create", "app", "--role", "inference", "--json")).Succeeded().Json.GetProperty("key").GetString()!;
        await using var gateway = await CairnGatewayAlone.StartAsync(server, "edge-1");
        await gateway.UntilAsync("ok");
        using var own = new HttpClient { BaseAddress = new Uri(server.Address) };
        own.DefaultRequestHeaders.Authorization = new("Bearer", key);
        using var far = gateway.NewClient(key);

        var answers = await Task.WhenAll(Enumerable.Range(0, 150).Select(i => CairnGatewayAlone.StatusAsync(i % 2 == 0 ? far : own, "chat")));
        Assert.True(answers.All(status => status is 200 or 429 or 503), string.Join(',', answers));
        await Eventually.TrueAsync(async () => await CairnGatewayAlone.StatusAsync(far, "chat") == 429 && await TotalAsync(server) == 1m, "the dollar is spent");
        Assert.Equal(429, await CairnGatewayAlone.StatusAsync(own, "chat"));
        Assert.Equal((100, 0m), (outside.Keys.Count, await AvailableAsync(server)));

        // Of another dollar the gateway spends a cent, and what else it was lent comes back when it ends.
        await server.GrantAsync(1);
        await Eventually.TrueAsync(async () => await CairnGatewayAlone.StatusAsync(far, "chat") == 200, "the gateway has money again");
        Assert.Equal(0, await gateway.StopAsync());
        var rest = await Task.WhenAll(Enumerable.Range(0, 110).Select(_ => CairnGatewayAlone.StatusAsync(own, "chat")));
        Assert.Equal((99, 11), (rest.Count(status => status == 200), rest.Count(status => status == 429)));
        await Eventually.TrueAsync(async () => await TotalAsync(server) == 2m && await AvailableAsync(server) == 0m, "all of it is charged");
        await server.RequireSoundLedgerAsync();
    }

    private static async Task<decimal> TotalAsync(CairnUp server) => (await server.GetAsync("usage")).GetProperty("total").GetDecimal();

    private static async Task<decimal> AvailableAsync(CairnUp server) => (await server.GetAsync("projects/default/balance")).GetProperty("available").GetDecimal();
}
