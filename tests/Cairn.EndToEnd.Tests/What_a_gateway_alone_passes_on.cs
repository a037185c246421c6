using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

namespace Cairn.EndToEnd.Tests;

/// <summary>What docs/gateway.md promises of a gateway alone beside serving: files, batches, explanations, metrics; through the real program.</summary>
[Trait("speed", "slow")]
public sealed class What_a_gateway_alone_passes_on
{
    [Fact]
    public async Task Files_and_batches_go_to_the_server_explanations_come_from_it_and_metrics_are_its_own()
    {
        await using var outside = await OutsideProvider.StartAsync();
        await using var server = await CairnUp.StartServerAsync("--file-size", "600MiB");
        await server.GrantAsync(1);
        (await server.Cli.RunWithAsync([("OUTSIDE_KEY", "sk-outside")],
            ["providers", "add", "acme", "--url", outside.BaseUrl, "--key-env", "OUTSIDE_KEY", "--model", "chat=up", "--output-price", "1"])).Succeeded();
        await using var gateway = await CairnGatewayAlone.StartAsync(server, "edge-1");
        await gateway.UntilAsync("ok");
        await gateway.UntilBorrowedAsync(purses: 1);
        using var client = gateway.NewClient(server.AdminKey());
        using (var kept = JsonDocument.Parse(await File.ReadAllBytesAsync(Path.Combine(gateway.Folder, "snapshot.json"), TestContext.Current.CancellationToken)))
            Assert.Equal(600L << 20, kept.RootElement.GetProperty("most_file_bytes").GetInt64());

        await ExplainAsync(server, client);
        await RunBatchAsync(client);
        using (var stranger = new HttpClient { BaseAddress = new Uri(gateway.Address) })
        {
            Assert.Equal(HttpStatusCode.Unauthorized, (await stranger.GetAsync("/v1/files", TestContext.Current.CancellationToken)).StatusCode);
            var metrics = await stranger.GetStringAsync("/metrics", TestContext.Current.CancellationToken);
            Assert.Contains("http_server_request_duration_seconds_count", metrics, StringComparison.Ordinal);
            Assert.Contains("kestrel_active_connections", metrics, StringComparison.Ordinal);
        }
        using (var api = server.NewClient((await server.Cli.RunAsync("keys", "create", "other", "--role", "gateway", "--json")).Succeeded().Json.GetProperty("key").GetString()!))
        using (var report = await api.PostAsJsonAsync("gateway/reports", new { gateway = Guid.NewGuid(), name = "other", asks = (object?)null }, TestContext.Current.CancellationToken))
        {
            var problem = await report.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
            Assert.Equal(HttpStatusCode.BadRequest, report.StatusCode);
            Assert.Contains("asks is null", problem, StringComparison.Ordinal);
        }

        await server.KillAsync();
        await gateway.UntilAsync("ok, the server is away");
        foreach (var path in new[] { "/v1/files", "/v1/files/file_1/content", "/v1/batches", "/v1/batches/batch_1" })
        {
            using var refused = await client.GetAsync(path, TestContext.Current.CancellationToken);
            Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
            var error = (await refused.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken)).GetProperty("error");
            Assert.Equal(("server_error", "unavailable"), (error.GetProperty("type").GetString(), error.GetProperty("code").GetString()));
        }
        Assert.Equal(200, await CairnGatewayAlone.StatusAsync(client, "chat"));
    }

    private static async Task ExplainAsync(CairnUp server, HttpClient client)
    {
        using var answer = await CairnGatewayAlone.AskAsync(client, "chat");
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        var id = answer.Headers.GetValues("x-request-id").Single();
        Assert.Contains("by gateway edge-1", (await server.Cli.RunAsync("explain", id)).Succeeded().Out, StringComparison.Ordinal);
        Assert.Equal("acme", (await server.GetAsync("requests/" + id)).GetProperty("attempts")[0].GetProperty("target").GetString());

        // Whose project it was not is told what one is told who made it up.
        (await server.Cli.RunAsync("projects", "create", "research")).Succeeded();
        Assert.Equal(3, (await server.Cli.RunAsync("explain", id, "--project", "research")).ExitCode);
        Assert.Equal(3, (await server.Cli.RunAsync("explain", "req_0123456789abcdef01234567")).ExitCode);
    }

    private static async Task RunBatchAsync(HttpClient client)
    {
        var token = TestContext.Current.CancellationToken;
        var line = """{"custom_id":"one","method":"POST","url":"/v1/chat/completions","body":{"model":"chat","max_tokens":1,"messages":[{"role":"user","content":"Hi"}]}}""";
        using var form = new MultipartFormDataContent { { new StringContent("batch"), "purpose" }, { new ByteArrayContent(Encoding.UTF8.GetBytes(line + "\n")), "file", "in.jsonl" } };
        using var uploaded = await client.PostAsync("/v1/files", form, token);
        var input = (await uploaded.Content.ReadFromJsonAsync<JsonElement>(token)).GetProperty("id").GetString();
        Assert.Equal(line + "\n", await client.GetStringAsync($"/v1/files/{input}/content", token));

        // Larger than what is taken unless a path says otherwise.
        using var large = new MultipartFormDataContent { { new StringContent("user_data"), "purpose" }, { new ByteArrayContent(new byte[40 << 20]), "file", "large.bin" } };
        using var taken = await client.PostAsync("/v1/files", large, token);
        Assert.Equal(40 << 20, (await taken.Content.ReadFromJsonAsync<JsonElement>(token)).GetProperty("bytes").GetInt64());

        using var made = await client.PostAsJsonAsync("/v1/batches", new { input_file_id = input, endpoint = "/v1/chat/completions", completion_window = "24h" }, token);
        var batch = (await made.Content.ReadFromJsonAsync<JsonElement>(token)).GetProperty("id").GetString();
        var output = await Eventually.GetAsync(async () =>
            (await client.GetFromJsonAsync<JsonElement>($"/v1/batches/{batch}", token)) is var b && b.GetProperty("status").GetString() == "completed" ? b.GetProperty("output_file_id").GetString() : null,
            "the batch has run");
        Assert.Contains("\"custom_id\":\"one\"", await client.GetStringAsync($"/v1/files/{output}/content", token), StringComparison.Ordinal);
        using var missing = await client.GetAsync("/v1/batches/batch_none", token);
        Assert.Equal(HttpStatusCode.NotFound, missing.StatusCode);
    }
}
