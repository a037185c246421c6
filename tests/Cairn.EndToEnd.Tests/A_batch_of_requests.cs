using System.Collections.Concurrent;
using System.Net.Http.Headers;
using System.Text.Json;
using Cairn.State.Tests;

namespace Cairn.EndToEnd.Tests;

/// <summary>What docs/gateway.md promises of batches, through the real program.</summary>
[Trait("speed", "slow")]
public sealed class A_batch_of_requests(PostgresServer postgres) : IClassFixture<PostgresServer>
{
    private const int Lines = 40;

    [Fact]
    public Task Survives_a_killed_server_and_runs_no_finished_line_again() => SurvivesAsync();

    [Fact]
    public Task And_on_PostgreSQL() => SurvivesAsync("--database", postgres.NewDatabase());

    [Fact]
    public async Task Is_listed_shown_and_cancelled_by_the_command_line()
    {
        await using var server = await CairnUp.StartServerAsync("--batch-input-lines", "2");
        var wrong = server.WriteFile("wrong.jsonl", "nonsense\n");
        var failed = await server.Cli.RunAsync("batch", wrong, "--wait");
        Assert.Equal(10, failed.ExitCode);
        Assert.Contains("line 1: This line is not parseable as valid JSON. (invalid_json_line)", failed.Out, StringComparison.Ordinal);
        var tooManyLines = server.WriteFile("long.jsonl", "nonsense\nnonsense\nnonsense\n");
        var refused = await server.Cli.RunAsync("batch", tooManyLines, "--wait");
        Assert.Contains("line 3: The batch input file contains too many requests. The maximum number of requests per file is 2. (too_many_tasks)", refused.Out, StringComparison.Ordinal);
        var id = (await server.Cli.RunAsync("batches", "--json")).Succeeded().Json[0].GetProperty("id").GetString()!;
        Assert.Contains(id, (await server.Cli.RunAsync("batches")).Succeeded().Out, StringComparison.Ordinal);
        Assert.Equal(4, (await server.Cli.RunAsync("batch", id, "--cancel")).ExitCode);
        Assert.Equal(3, (await server.Cli.RunAsync("batch", "batch_none")).ExitCode);
        Assert.Equal(3, (await server.Cli.RunAsync("batch", "none.jsonl")).ExitCode);
        Assert.Equal(2, (await server.Cli.RunAsync("batch", wrong, "--cancel")).ExitCode);
        Assert.Equal(2, (await server.Cli.RunAsync("batch", wrong, "--endpoint", "/v1/images")).ExitCode);
    }

    private static async Task SurvivesAsync(params string[] flags)
    {
        var (asked, answered, count, gate) = (new ConcurrentQueue<string>(), new ConcurrentDictionary<string, bool>(), 0, new TaskCompletionSource());
        await using var outside = await OutsideProvider.StartAsync(async (context, text) =>
        {
            asked.Enqueue(text);
            if (Interlocked.Increment(ref count) > Lines / 2)
                await gate.Task.WaitAsync(context.RequestAborted);
            else
                answered[text] = true;
        });
        await using var server = await CairnUp.StartServerAsync(flags);
        await server.GrantAsync(100);
        (await server.Cli.RunWithAsync([("OUTSIDE_KEY", "sk-4711")], "providers", "add", "acme", "--url", outside.BaseUrl, "--key-env", "OUTSIDE_KEY", "--model", "chat=up",
            "--output-price", "1")).Succeeded();
        var input = server.WriteFile("in.jsonl", string.Concat(Enumerable.Range(1, Lines).Select(i =>
            $$"""{"custom_id":"r{{i}}","method":"POST","url":"/v1/chat/completions","body":{"model":"chat","messages":[{"role":"user","content":"n{{i}}."}]} }""" + "\n")));
        var id = (await server.Cli.RunAsync("batch", input, "--json")).Succeeded().Json.GetProperty("id").GetString()!;
        await Eventually.TrueAsync(async () => Count(await ShowAsync(server, id), "completed") == Lines / 2 && asked.Count > Lines / 2, "half of the lines have run and some are under way");
        await server.KillAsync();
        gate.SetResult();
        await server.StartAgainAsync();
        var batch = (await server.Cli.RunAsync("batch", id, "--wait", "--json")).Succeeded().Json;
        Assert.Equal(("completed", Lines, 0), (batch.GetProperty("status").GetString(), Count(batch, "completed"), Count(batch, "failed")));
        Assert.Equal(Lines, asked.Distinct().Count());
        Assert.All(asked.GroupBy(text => text), line => Assert.True(line.Count() == 1 || !answered.ContainsKey(line.Key), $"{line.Key} ran {line.Count()} times"));

        using var client = new HttpClient { BaseAddress = new Uri(server.Address) };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", server.AdminKey());
        var output = await client.GetStringAsync($"/v1/files/{batch.GetProperty("output_file_id").GetString()}/content", TestContext.Current.CancellationToken);
        Assert.Equal(Enumerable.Range(1, Lines).Select(i => $"r{i}"),
            output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement.GetProperty("custom_id").GetString()));
        await server.RequireSoundLedgerAsync();
    }

    private static async Task<JsonElement> ShowAsync(CairnUp server, string id) => (await server.Cli.RunAsync("batch", id, "--json")).Succeeded().Json;

    private static int Count(JsonElement batch, string what) => batch.GetProperty("request_counts").GetProperty(what).GetInt32();
}
