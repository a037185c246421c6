using System.Net;
using System.Text.Json.Nodes;
using Cairn.Contracts.Units;
using Cairn.Serving.Gateway.Limits;
using Cairn.Serving.Tests.Gateway;
using Microsoft.AspNetCore.Http;
using static Cairn.Serving.Tests.Batches.BatchHost;

namespace Cairn.Serving.Tests.Batches;

public sealed class A_batch
{
    [Fact]
    public async Task Runs_its_lines_and_writes_what_came_of_each()
    {
        await using var replica = await FakeReplica.StartAsync(AnswerAsync);
        await using var host = await StartAsync();
        host.Gateway.Serve("tiny", replica);
        var id = await host.MakeAsync(Line("a") + "\r\n" + Line("b", text: "bad") + Line("c", more: ""","stream":true""") + Line("d").TrimEnd(), more: ""","metadata":{"job":"7"}""");
        var made = await host.ShowAsync(id);
        Assert.Equal(("validating", "7", 0, "batch"), ((string)made["status"]!, (string)made["metadata"]!["job"]!, (int)made["request_counts"]!["total"]!, (string)made["object"]!));
        Assert.Equal(24 * 3600, (long)made["expires_at"]! - (long)made["created_at"]!);

        var batch = await host.UntilAsync(id, "completed");
        Assert.Equal((4, 2, 2), ((int)batch["request_counts"]!["total"]!, (int)batch["request_counts"]!["completed"]!, (int)batch["request_counts"]!["failed"]!));
        Assert.Equal(("tiny", 14, 4, 18), ((string)batch["model"]!, (int)batch["usage"]!["input_tokens"]!, (int)batch["usage"]!["output_tokens"]!, (int)batch["usage"]!["total_tokens"]!));
        Assert.True((long)batch["completed_at"]! >= (long)batch["finalizing_at"]! && (long)batch["finalizing_at"]! >= (long)batch["in_progress_at"]!);
        var good = await host.LinesOfAsync(batch["output_file_id"]);
        Assert.Equal(["a", "d"], good.Select(l => (string)l["custom_id"]!));
        Assert.All(good, line =>
        {
            Assert.Equal((200, "Hello."), ((int)line["response"]!["status_code"]!, (string)line["response"]!["body"]!["choices"]![0]!["message"]!["content"]!));
            Assert.StartsWith("req_", (string)line["response"]!["request_id"]!, StringComparison.Ordinal);
            Assert.StartsWith("batch_req_", (string)line["id"]!, StringComparison.Ordinal);
            Assert.Null(line["error"]);
        });
        var bad = await host.LinesOfAsync(batch["error_file_id"]);
        Assert.Equal([("b", 400), ("c", 400)], bad.Select(l => ((string)l["custom_id"]!, (int)l["response"]!["status_code"]!)));
        Assert.Equal("stream", (string?)bad[1]["response"]!["body"]!["error"]!["param"]);
        var file = await GatewayHost.JsonOf(await host.Client.GetAsync($"/v1/files/{batch["output_file_id"]}"));
        Assert.Equal(("batch_output", $"{id}_output.jsonl"), ((string)file["purpose"]!, (string)file["filename"]!));
        Assert.Equal(3, replica.Asked.Count);
    }

    [Fact]
    public async Task Is_charged_to_its_key_less_the_discount()
    {
        await using var replica = await FakeReplica.StartAsync(context => FakeReplica.Chat(context, "Hello.", 100, 50));
        await using var host = await StartAsync((_, batches) => batches.DiscountPercent = 50);
        host.Gateway.Serve("tiny", replica);
        await host.UntilAsync(await host.MakeAsync(Lines(4)), "completed");
        var (subject, sum) = await host.Gateway.BookedAsync(4);
        Assert.Equal((host.Gateway.Key.Id, 4L, 400L, 200L, new Money(300)), (subject.Key, sum.Requests, sum.InputTokens, sum.OutputTokens, sum.Cost));
        Assert.Equal((new Money(300), 0L, 0), (host.Gateway.Account.Spent, host.Gateway.Account.Reserved.Micros, host.Gateway.Account.Parallel));
    }

    [Theory]
    [InlineData("/v1/completions", "\"prompt\":\"Hi\"")]
    [InlineData("/v1/embeddings", "\"input\":\"Hi\"")]
    [InlineData("/v1/responses", "\"input\":\"Hi\"")]
    public async Task Asks_every_endpoint(string endpoint, string fields)
    {
        await using var replica = await FakeReplica.StartAsync();
        await using var host = await StartAsync();
        host.Gateway.Serve("tiny", replica);
        var line = $$"""{"custom_id":"a","method":"POST","url":"{{endpoint}}","body":{"model":"tiny",{{fields}} } }""";
        var batch = await host.UntilAsync(await host.MakeAsync(line, endpoint), "completed");
        Assert.Equal(200, (int)Assert.Single(await host.LinesOfAsync(batch["output_file_id"]))["response"]!["status_code"]!);
    }

    [Fact]
    public async Task Is_judged_as_soon_as_a_server_that_began_anew_knows_its_keys()
    {
        await using var replica = await FakeReplica.StartAsync();
        await using var host = await StartAsync();
        host.Gateway.Serve("tiny", replica);
        var id = await host.MakeAsync(Lines(1));
        await host.DieAndStartAsync(knowsKeys: false);
        await host.TurnAsync();
        host.Gateway.Serve("tiny", replica);
        // The step that waits is the one that goes on: nobody takes another turn.
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        while ((string?)(await host.ShowAsync(id))["status"] == "validating")
            await Task.Delay(5, patience.Token);
        Assert.Equal("completed", (string?)(await host.UntilAsync(id, "completed"))["status"]);
    }

    [Fact]
    public async Task Waits_and_asks_again_where_there_is_no_room()
    {
        var asked = 0;
        await using var replica = await FakeReplica.StartAsync(context =>
        {
            if (Interlocked.Increment(ref asked) > 3)
                return FakeReplica.Chat(context, "Hello.", 7, 2);
            context.Response.StatusCode = 429;
            return context.Response.WriteAsync("{}");
        });
        await using var host = await StartAsync();
        host.Gateway.Limits = new KeyLimits { ParallelRequests = 1 };
        host.Gateway.Serve("tiny", replica);
        var batch = await host.UntilAsync(await host.MakeAsync(Lines(3)), "completed");
        Assert.Equal((3, 0), ((int)batch["request_counts"]!["completed"]!, (int)batch["request_counts"]!["failed"]!));
    }

    [Fact]
    public async Task Goes_on_after_its_server_died_and_runs_no_finished_line_again()
    {
        var hold = new TaskCompletionSource();
        await using var replica = await FakeReplica.StartAsync(async context =>
        {
            if (context.Items["body"] is string body && (body.Contains("n3\"", StringComparison.Ordinal) || body.Contains("n4\"", StringComparison.Ordinal)))
                await hold.Task.WaitAsync(context.RequestAborted);
            await FakeReplica.Chat(context, "Hello.", 7, 2);
        });
        await using var host = await StartAsync((_, batches) => batches.LinesAtOncePerBatch = 2);
        host.Gateway.Serve("tiny", replica);
        var id = await host.MakeAsync(Lines(8));
        await host.UntilAsync(id, b => (int)b["request_counts"]!["completed"]! == 2);
        while (Volatile.Read(ref replica.Running) < 2)
            await Task.Delay(5, TestContext.Current.CancellationToken);
        var before = host.Gateway.Models;
        await host.DieAndStartAsync();
        hold.SetResult();
        host.Gateway.Models.AddRange(before);
        host.Gateway.Push();

        var batch = await host.UntilAsync(id, "completed");
        Assert.Equal(8, (int)batch["request_counts"]!["completed"]!);
        Assert.Equal(Enumerable.Range(1, 8).Select(i => $"r{i}"), (await host.LinesOfAsync(batch["output_file_id"])).Select(l => (string)l["custom_id"]!));
        int Times(int line) => replica.Asked.Count(a => a.Body.Contains($"\"n{line}\"", StringComparison.Ordinal));
        Assert.Equal([1, 1, 2, 2, 1, 1, 1, 1], Enumerable.Range(1, 8).Select(Times));
    }

    [Fact]
    public async Task Is_cancelled_with_what_has_run_and_lets_what_is_under_way_end()
    {
        var hold = new TaskCompletionSource();
        await using var replica = await FakeReplica.StartAsync(async context =>
        {
            if (context.Items["body"] is string body && !body.Contains("n1\"", StringComparison.Ordinal))
                await hold.Task.WaitAsync(context.RequestAborted);
            await FakeReplica.Chat(context, "Hello.", 7, 2);
        });
        await using var host = await StartAsync((_, batches) => batches.LinesAtOncePerBatch = 1);
        host.Gateway.Serve("tiny", replica);
        var id = await host.MakeAsync(Lines(4));
        await host.UntilAsync(id, b => (int)b["request_counts"]!["completed"]! == 1 && Volatile.Read(ref replica.Running) == 1);
        Assert.Equal("cancelling", (string?)(await GatewayHost.JsonOf(await host.Client.PostAsync($"/v1/batches/{id}/cancel", null)))["status"]);
        await host.TurnAsync();
        Assert.Equal("cancelling", (string?)(await host.ShowAsync(id))["status"]);
        hold.SetResult();
        var batch = await host.UntilAsync(id, "cancelled");
        Assert.Equal(["r1", "r2"], (await host.LinesOfAsync(batch["output_file_id"])).Select(l => (string)l["custom_id"]!));
        Assert.Equal([("r3", "batch_cancelled"), ("r4", "batch_cancelled")],
            (await host.LinesOfAsync(batch["error_file_id"])).Select(l => ((string)l["custom_id"]!, (string)l["error"]!["code"]!)));
        Assert.Equal(2, replica.Asked.Count);
        Assert.Equal(HttpStatusCode.Conflict, (await host.Client.PostAsync($"/v1/batches/{id}/cancel", null)).StatusCode);
    }

    [Fact]
    public async Task Expires_when_its_window_ends()
    {
        await using var replica = await FakeReplica.StartAsync(context =>
        {
            context.Response.StatusCode = 503;
            return Task.CompletedTask;
        });
        await using var host = await StartAsync();
        host.Gateway.Serve("tiny", replica);
        var id = await host.MakeAsync(Lines(2));
        await host.UntilAsync(id, _ => !replica.Asked.IsEmpty);
        host.Time.Ahead = TimeSpan.FromHours(24);
        var batch = await host.UntilAsync(id, "expired");
        Assert.Null(batch["output_file_id"]);
        var lines = await host.LinesOfAsync(batch["error_file_id"]);
        Assert.Equal(["r1", "r2"], lines.Select(l => (string)l["custom_id"]!));
        // One that was being asked when the window ended keeps its last answer.
        Assert.All(lines, l => Assert.True((string?)l["error"]?["code"] == "batch_expired" || (int)l["response"]!["status_code"]! >= 500, l.ToJsonString()));
    }

    [Fact]
    public async Task Leaves_no_results_behind_and_goes_itself_after_30_days()
    {
        await using var replica = await FakeReplica.StartAsync();
        await using var host = await StartAsync();
        host.Gateway.Serve("tiny", replica);
        var id = await host.MakeAsync(Lines(3));
        await host.UntilAsync(id, "completed");
        await host.SweepAsync();
        Assert.Equal(0, await host.Store.ReadAsync(s => s.Scalar<long>("SELECT COUNT(*) FROM batch_results"), TestContext.Current.CancellationToken));
        Assert.Equal("completed", (string?)(await host.ShowAsync(id))["status"]);
        host.Time.Ahead = TimeSpan.FromDays(31);
        await host.SweepAsync();
        Assert.Equal(HttpStatusCode.NotFound, (await host.Client.GetAsync($"/v1/batches/{id}")).StatusCode);
    }

    [Fact]
    public async Task Ends_as_failed_with_what_has_run_where_its_input_was_deleted()
    {
        await using var replica = await FakeReplica.StartAsync(context => Task.Delay(Timeout.Infinite, context.RequestAborted));
        await using var host = await StartAsync((_, batches) => batches.LinesAtOncePerBatch = 1);
        host.Gateway.Serve("tiny", replica);
        var id = await host.MakeAsync(Lines(2));
        await host.UntilAsync(id, "in_progress");
        var gone = (string)(await host.ShowAsync(id))["input_file_id"]!;
        await host.DieAndStartAsync();
        await host.Client.DeleteAsync($"/v1/files/{gone}");
        var batch = await host.UntilAsync(id, "failed");
        Assert.Equal("file_not_found", (string?)batch["errors"]!["data"]![0]!["code"]);
    }

    [Fact]
    public async Task Is_listed_newest_first_page_by_page_and_seen_by_its_project_alone()
    {
        await using var host = await StartAsync((_, batches) => batches.MostOpenPerProject = 3);
        var ids = new List<string> { await host.MakeAsync(Line("a")), await host.MakeAsync(Line("a")), await host.MakeAsync(Line("a")) };
        var page = await GatewayHost.JsonOf(await host.Client.GetAsync("/v1/batches?limit=2"));
        Assert.Equal([ids[2], ids[1]], page["data"]!.AsArray().Select(b => (string)b!["id"]!));
        Assert.Equal((true, ids[2], ids[1]), ((bool)page["has_more"]!, (string)page["first_id"]!, (string)page["last_id"]!));
        page = await GatewayHost.JsonOf(await host.Client.GetAsync($"/v1/batches?limit=2&after={ids[1]}"));
        Assert.Equal((ids[0], false), ((string)Assert.Single(page["data"]!.AsArray())!["id"]!, (bool)page["has_more"]!));
        var file = (string)(await host.UploadAsync(Line("a")))["id"]!;
        var refused = await host.Gateway.PostAsync("/v1/batches", $$"""{"input_file_id":"{{file}}","endpoint":"/v1/responses","completion_window":"24h"}""");
        Assert.Equal((HttpStatusCode.TooManyRequests, "batch_limit_exceeded"), (refused.StatusCode, (string?)(await GatewayHost.JsonOf(refused))["error"]!["code"]));
        host.Client.DefaultRequestHeaders.Authorization = null;
        Assert.Equal(HttpStatusCode.Unauthorized, (await host.Client.GetAsync($"/v1/batches/{ids[0]}")).StatusCode);
    }

    [Theory]
    [InlineData("""{"endpoint":"/v1/responses","completion_window":"24h"}""", "input_file_id")]
    [InlineData("""{"input_file_id":"FILE","endpoint":"/v1/images","completion_window":"24h"}""", "endpoint")]
    [InlineData("""{"input_file_id":"FILE","endpoint":"/v1/responses","completion_window":"1h"}""", "completion_window")]
    [InlineData("""{"input_file_id":"file-none","endpoint":"/v1/responses","completion_window":"24h"}""", "input_file_id")]
    [InlineData("""{"input_file_id":"OTHER","endpoint":"/v1/responses","completion_window":"24h"}""", "input_file_id")]
    [InlineData("""{"input_file_id":7,"endpoint":"/v1/responses","completion_window":"24h"}""", "input_file_id")]
    [InlineData("""{"input_file_id":"FILE","endpoint":"/v1/responses","completion_window":"24h","metadata":{"a":1}}""", "metadata")]
    [InlineData("""{"input_file_id":"FILE","endpoint":"/v1/responses","completion_window":"24h","output_expires_after":{"anchor":"created_at","seconds":60}}""", "output_expires_after.seconds")]
    [InlineData("""{"input_file_id":"FILE","endpoint":"/v1/responses","completion_window":"24h","priority":1}""", "priority")]
    [InlineData("nonsense", null)]
    public async Task Is_refused_with_the_parameter_at_fault(string body, string? param)
    {
        await using var host = await StartAsync();
        body = body.Replace("FILE", (string)(await host.UploadAsync(Line("a")))["id"]!, StringComparison.Ordinal);
        body = body.Replace("OTHER", (string)(await host.UploadAsync("x", "user_data", "a.txt"))["id"]!, StringComparison.Ordinal);
        var refused = await host.Gateway.PostAsync("/v1/batches", body);
        var error = (await GatewayHost.JsonOf(refused))["error"]!;
        Assert.Equal((HttpStatusCode.BadRequest, "invalid_request_error", param), (refused.StatusCode, (string?)error["type"], (string?)error["param"]));
    }

    private static Task AnswerAsync(HttpContext context)
    {
        if (context.Items["body"] is string body && body.Contains("\"bad\"", StringComparison.Ordinal))
        {
            context.Response.StatusCode = 400;
            return context.Response.WriteAsync("""{"error":{"message":"No.","type":"invalid_request_error","param":null,"code":null} }""");
        }
        return FakeReplica.Chat(context, "Hello.", 7, 2);
    }
}
