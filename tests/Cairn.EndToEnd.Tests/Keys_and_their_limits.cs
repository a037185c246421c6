using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Cairn.State.Tests;

namespace Cairn.EndToEnd.Tests;

/// <summary>What docs/keys.md promises, through the real program.</summary>
[Trait("speed", "slow")]
public sealed class Keys_and_their_limits(PostgresServer postgres) : IClassFixture<PostgresServer>
{
    private const string Secret = "sk-outside-4711";

    [Fact]
    public Task A_budget_of_one_dollar_holds_against_200_clients_and_a_killed_server() => HoldsAsync();

    [Fact]
    public Task And_on_PostgreSQL() => HoldsAsync("--database", postgres.NewDatabase());

    [Fact]
    public async Task A_key_calls_only_its_models_within_its_rates_and_those_of_the_key_above()
    {
        await using var outside = await OutsideProvider.StartAsync();
        await using var up = await CairnUp.StartServerAsync();
        await AddProviderAsync(up, outside, "--model", "other");
        var team = await CreateAsync(up, new { name = "team", limits = new { requests_per_minute = 3 } });
        var child = (await up.Cli.RunAsync("keys", "create", "child", "--role", "inference", "--under", "team", "--models", "cha*", "--rpm", "100", "--expires", "1h",
            "--json")).Succeeded().Json;
        var childId = child.GetProperty("id").GetString()!;
        using var client = Client(up, child.GetProperty("key").GetString()!);
        await KnowsItsKeysAsync(client);

        Assert.Equal(200, await StatusAsync(client));
        Assert.Equal(403, await StatusAsync(client, "other"));
        Assert.Equal(200, await StatusAsync(client));
        Assert.Equal(200, await StatusAsync(client));
        Assert.Equal(429, await StatusAsync(client));
        Assert.All(outside.Keys, seen => Assert.Equal("Bearer " + Secret, seen));

        // It calls models and does nothing else.
        Assert.Equal(HttpStatusCode.Forbidden, (await client.GetAsync("/api/v1/jobs", TestContext.Current.CancellationToken)).StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, (await client.GetAsync("/api/v1/usage", TestContext.Current.CancellationToken)).StatusCode);

        (await up.Cli.RunAsync("keys", "change", "team", "--unlimited", "rpm", "--block")).Succeeded();
        Assert.Equal(401, await StatusAsync(client));
        (await up.Cli.RunAsync("keys", "change", "team", "--unblock")).Succeeded();
        Assert.Equal(200, await StatusAsync(client));
        (await up.Cli.RunAsync("keys", "revoke", childId)).Succeeded();
        Assert.Equal(401, await StatusAsync(client));
        Assert.NotEqual(default, team);
    }

    [Fact]
    public async Task A_projects_credits_hold_against_200_clients_and_more_are_there_at_once()
    {
        await using var outside = await OutsideProvider.StartAsync();
        await using var up = await CairnUp.StartServerAsync();
        await AddProviderAsync(up, outside, "--output-price", "10000"); // a cent per token
        using var client = Client(up, up.AdminKey());
        await KnowsItsKeysAsync(client);
        using (var refused = await AskAsync(client, "chat"))
        {
            Assert.Equal(429, (int)refused.StatusCode);
            Assert.Equal("insufficient_quota", (await refused.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken)).GetProperty("error").GetProperty("code").GetString());
        }
        await up.GrantAsync(1);
        await Eventually.TrueAsync(async () => await StatusAsync(client) == 200, "the gateway knows of the grant");

        var answers = await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => StatusAsync(client)));

        Assert.Equal(99, answers.Count(status => status == 200));
        Assert.Equal(101, answers.Count(status => status == 429));
        await Eventually.TrueAsync(async () => (await up.GetAsync("projects/default/balance")).GetProperty("available").GetDecimal() == 0, "the usage is written");
        Assert.Equal(429, await StatusAsync(client));
        await up.KillAsync();
        await up.StartAgainAsync();
        await KnowsItsKeysAsync(client);
        Assert.Equal(429, await StatusAsync(client));
        await up.RequireSoundLedgerAsync();
    }

    [Fact]
    public async Task What_is_wrong_with_a_key_is_told_at_once_and_changes_nothing()
    {
        await using var up = await CairnUp.StartServerAsync();
        await CreateAsync(up, new { name = "reader", role = "viewer" });
        using var admin = up.NewClient();
        var token = TestContext.Current.CancellationToken;
        using var refused = await admin.PostAsJsonAsync("keys", new
        {
            name = "Not A Name", role = "admin", parent = "reader", valid_seconds = 0,
            limits = new { models = new[] { "a*b" }, requests_per_minute = 0, tokens_per_minute = -1, parallel_requests = 0, budget = -1, budget_period = "hourly" },
        }, token);
        Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
        Assert.Equal(10, (await refused.Content.ReadFromJsonAsync<JsonElement>(token)).GetProperty("errors").GetArrayLength());
        Assert.Equal(2, (await up.GetAsync("keys")).GetProperty("items").GetArrayLength());

        var own = (await up.GetAsync("whoami")).GetProperty("key").GetString();
        Assert.Equal(HttpStatusCode.BadRequest, (await admin.PostAsJsonAsync($"keys/{own}", new { blocked = true }, token)).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await admin.PostAsJsonAsync($"keys/{Guid.Empty}", new { blocked = true }, token)).StatusCode);
        using var providers = await admin.PostAsJsonAsync("providers", new { name = "x", base_url = "http://10.0.0.1/v1", models = Array.Empty<object>() }, token);
        Assert.Equal(2, (await providers.Content.ReadFromJsonAsync<JsonElement>(token)).GetProperty("errors").GetArrayLength());
    }

    [Fact]
    public async Task The_command_line_lists_explains_and_never_shows_a_credential()
    {
        await using var outside = await OutsideProvider.StartAsync();
        await using var up = await CairnUp.StartServerAsync();
        await up.GrantAsync(1);
        await AddProviderAsync(up, outside, "--output-price", "2");
        using var client = Client(up, up.AdminKey());
        await KnowsItsKeysAsync(client);
        using var answer = await AskAsync(client, "chat");
        var request = answer.Headers.GetValues("x-request-id").Single();
        await CreateAsync(up, new
        {
            name = "a-key-with-every-limit", limits = new
            {
                models = new[] { "llama-3.3-70b*", "chat" }, requests_per_minute = 60, tokens_per_minute = 100_000, parallel_requests = 8, budget = 125.5, budget_period = "monthly",
            },
        });
        await Eventually.TrueAsync(async () => (await up.GetAsync("usage")).GetProperty("rows").GetArrayLength() == 1, "the usage is written");

        foreach (var command in new string[][]
        {
            ["keys"], ["providers"], ["usage"], ["usage", "--by", "key"], ["usage", "--by", "endpoint", "--since", "24h"], ["usage", "--by", "day", "--key", "admin"], ["bill"], ["explain", request],
        })
        {
            var table = (await up.Cli.RunAsync(command)).Succeeded().Out;
            Assert.DoesNotContain(Secret, table, StringComparison.Ordinal);
            if (command[0] != "explain")
                Assert.All(table.Split('\n'), line => Assert.True(line.TrimEnd().Length <= 100, $"{string.Join(' ', command)}: {line}"));
            Assert.DoesNotContain(Secret, (await up.Cli.RunAsync([.. command, "--json"])).Succeeded().Json.ToString(), StringComparison.Ordinal);
        }
        var told = (await up.Cli.RunAsync("explain", request, "--json")).Succeeded().Json;
        Assert.Equal(("acme", "answered"), (told.GetProperty("attempts")[0].GetProperty("target").GetString(), told.GetProperty("attempts")[0].GetProperty("outcome").GetString()));
        Assert.Equal(3, (await up.Cli.RunAsync("explain", "req_nobody")).ExitCode);
        Assert.Equal(0.000002m, (await up.GetAsync("usage?by=endpoint")).GetProperty("total").GetDecimal());
        (await up.Cli.RunAsync("providers", "remove", "acme")).Succeeded();
        Assert.Equal(404, await StatusAsync(client));
        Assert.DoesNotContain(Secret, up.Log, StringComparison.Ordinal);
    }

    private static async Task HoldsAsync(params string[] flags)
    {
        await using var outside = await OutsideProvider.StartAsync();
        await using var up = await CairnUp.StartServerAsync(flags);
        await up.GrantAsync(10);
        await AddProviderAsync(up, outside, "--output-price", "10000"); // a cent per token
        var key = await CreateAsync(up, new { name = "app", role = "inference", limits = new { budget = 1.0, budget_period = "monthly" } });

        using var client = Client(up, key.GetProperty("key").GetString()!);
        await KnowsItsKeysAsync(client);
        var answers = await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => StatusAsync(client)));

        Assert.Equal(100, answers.Count(status => status == 200));
        Assert.Equal(100, answers.Count(status => status == 429));
        await Eventually.TrueAsync(async () => (await up.GetAsync("usage")).GetProperty("total").GetDecimal() == 1, "the usage is written");
        Assert.Equal(9, (await up.GetAsync("projects/default/balance")).GetProperty("available").GetDecimal());

        await up.KillAsync();
        await up.StartAgainAsync();

        await KnowsItsKeysAsync(client);
        Assert.Equal(429, await StatusAsync(client));
        var listed = await KeyAsync(up, "app");
        Assert.Equal((1m, 0m), (listed.GetProperty("spent").GetDecimal(), listed.GetProperty("remaining").GetDecimal()));
        (await up.Cli.RunAsync("keys", "change", "app", "--budget", "$1.01")).Succeeded();
        Assert.Equal(200, await StatusAsync(client));
        Assert.Equal(429, await StatusAsync(client));

        // A stop that asks writes the last usage before the end.
        Assert.Equal(0, await up.StopAsync());
        await up.StartAgainAsync();
        Assert.Equal(1.01m, (await up.GetAsync("usage?by=key")).GetProperty("total").GetDecimal());
        await up.RequireSoundLedgerAsync();
        var bill = await up.GetAsync("bill");
        Assert.Equal(1.01m, bill.GetProperty("total").GetDecimal());
        var line = Assert.Single(bill.GetProperty("inference").EnumerateArray());
        Assert.Equal(("inference", "acme", "M tokens", 1250m), (line.GetProperty("kind").GetString(), line.GetProperty("provider").GetString(),
            line.GetProperty("unit").GetString(), line.GetProperty("unit_price_usd").GetDecimal()));
    }

    /// <summary>A server that begins answers 503 until its gateway has the first snapshot; on a shared database that is when the dead one's lease has run out.</summary>
    private static Task KnowsItsKeysAsync(HttpClient client) => Eventually.TrueAsync(async () =>
    {
        using var models = await client.GetAsync("/v1/models", TestContext.Current.CancellationToken);
        Assert.NotEqual(HttpStatusCode.Unauthorized, models.StatusCode);
        return models.IsSuccessStatusCode;
    }, "the gateway knows its keys");

    private static async Task AddProviderAsync(CairnUp up, OutsideProvider outside, params string[] more) => (await up.Cli.RunWithAsync([("OUTSIDE_KEY", Secret)],
        ["providers", "add", "acme", "--url", outside.BaseUrl, "--key-env", "OUTSIDE_KEY", "--model", "chat=up", .. more])).Succeeded();

    private static async Task<JsonElement> CreateAsync(CairnUp up, object request)
    {
        using var admin = up.NewClient();
        using var response = await admin.PostAsJsonAsync("keys", request, TestContext.Current.CancellationToken);
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        return await response.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken);
    }

    private static async Task<JsonElement> KeyAsync(CairnUp up, string name) =>
        (await up.GetAsync("keys")).GetProperty("items").EnumerateArray().Single(key => key.GetProperty("name").GetString() == name);

    private static HttpClient Client(CairnUp up, string key)
    {
        var client = new HttpClient { BaseAddress = new Uri(up.Address) };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        return client;
    }

    private static async Task<int> StatusAsync(HttpClient client, string model = "chat")
    {
        using var response = await AskAsync(client, model);
        return (int)response.StatusCode;
    }

    private static Task<HttpResponseMessage> AskAsync(HttpClient client, string model) => client.PostAsJsonAsync("/v1/chat/completions",
        new { model, max_tokens = 1, messages = new[] { new { role = "user", content = "Hi" } } }, TestContext.Current.CancellationToken);
}
