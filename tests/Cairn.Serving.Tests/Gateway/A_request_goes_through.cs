using System.Net;
using System.Text.Json.Nodes;
using Cairn.Contracts.Units;
using Cairn.Serving.Gateway.Calls;
using Cairn.Serving.Gateway.Snapshots;

namespace Cairn.Serving.Tests.Gateway;

public sealed class A_request_goes_through
{
    [Fact]
    public async Task Under_the_targets_name_of_the_model_and_with_a_maximum_that_was_reserved()
    {
        await using var replica = await FakeReplica.StartAsync();
        await using var host = await GatewayHost.StartAsync();
        host.Serve("tiny", replica);
        var response = await host.ChatAsync("tiny");
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("Hello.", (string?)(await GatewayHost.JsonOf(response))["choices"]![0]!["message"]!["content"]);
        var sent = JsonNode.Parse(Assert.Single(replica.Asked).Body)!;
        Assert.Equal(("up", 100), ((string?)sent["model"], (int)sent["max_tokens"]!));
        Assert.StartsWith("req_", response.Headers.GetValues("x-request-id").Single(), StringComparison.Ordinal);
        Assert.InRange(double.Parse(response.Headers.GetValues("cairn-overhead-ms").Single(), System.Globalization.CultureInfo.InvariantCulture), 0, 5000);
    }

    [Fact]
    public async Task And_is_booked_with_the_tokens_that_the_replica_told()
    {
        await using var replica = await FakeReplica.StartAsync();
        await using var host = await GatewayHost.StartAsync();
        var route = host.Serve("tiny", replica);
        await host.ChatAsync("tiny");
        var (subject, sum) = await host.BookedAsync();
        Assert.Equal(new UsageSubject(host.Project, host.Key.Id, "tiny", ((PoolTarget)route.Targets[0]).Endpoint, null), subject);
        Assert.Equal(new UsageSum(1, 7, 0, 2, new Money(9)), sum);
        Assert.Equal((9, 0, 0), (host.Account.Spent.Micros, host.Account.Reserved.Micros, host.Account.Parallel));
    }

    [Fact]
    public async Task As_a_stream_of_which_no_event_is_held_back()
    {
        var gates = Enumerable.Range(0, 4).Select(_ => new TaskCompletionSource()).ToArray();
        await using var replica = await FakeReplica.StartAsync(context => FakeReplica.Stream(context,
            [(FakeReplica.Chunk("a"), gates[0].Task), (FakeReplica.Chunk("b"), gates[1].Task), (FakeReplica.UsageChunk(7, 2), gates[2].Task), ("[DONE]", gates[3].Task)]));
        await using var host = await GatewayHost.StartAsync();
        host.Serve("tiny", replica);
        gates[0].SetResult();
        using var response = await host.StreamAsync("tiny");
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType!.MediaType);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        Assert.Equal("data: " + FakeReplica.Chunk("a"), await reader.ReadLineAsync());
        Assert.Equal("", await reader.ReadLineAsync());
        gates[1].SetResult();
        Assert.Equal("data: " + FakeReplica.Chunk("b"), await reader.ReadLineAsync());
        gates[2].SetResult();
        gates[3].SetResult();
        // The client did not ask for usage: the gateway did, and keeps it.
        Assert.Equal("\ndata: [DONE]\n\n", await reader.ReadToEndAsync());
        Assert.Equal(new UsageSum(1, 7, 0, 2, new Money(9)), (await host.BookedAsync()).Sum);
        Assert.True((bool)JsonNode.Parse(replica.Asked.Single().Body)!["stream_options"]!["include_usage"]!);
    }

    [Fact]
    public async Task With_usage_in_the_stream_where_the_client_asked_for_it()
    {
        await using var replica = await FakeReplica.StartAsync(context => FakeReplica.Stream(context,
            [(FakeReplica.Chunk("a"), Task.CompletedTask), (FakeReplica.UsageChunk(7, 1), Task.CompletedTask), ("[DONE]", Task.CompletedTask)]));
        await using var host = await GatewayHost.StartAsync();
        host.Serve("tiny", replica);
        using var response = await host.StreamAsync("tiny", """,  "stream_options" : {"include_usage" : true}""");
        Assert.Contains(FakeReplica.UsageChunk(7, 1), await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Whatever_way_its_bytes_are_cut()
    {
        var bytes = System.Text.Encoding.UTF8.GetBytes($"data: {FakeReplica.Chunk("å😀b")}\r\n\r\n: ping\n\ndata: {FakeReplica.Chunk("c")}\n\ndata: [DONE]\n\n");
        await using var replica = await FakeReplica.StartAsync(async context =>
        {
            context.Response.ContentType = "text/event-stream";
            foreach (var piece in bytes.Chunk(3))
            {
                await context.Response.Body.WriteAsync(piece);
                await context.Response.Body.FlushAsync();
            }
        });
        await using var host = await GatewayHost.StartAsync();
        host.Serve("tiny", replica);
        using var response = await host.StreamAsync("tiny");
        Assert.Equal(bytes, await response.Content.ReadAsByteArrayAsync());
    }

    [Fact]
    public async Task And_a_large_answer_comes_whole_with_its_usage()
    {
        var text = new string('x', 3_000_000);
        await using var replica = await FakeReplica.StartAsync(context => FakeReplica.Chat(context, text, 5, 70_000));
        await using var host = await GatewayHost.StartAsync();
        host.Serve("tiny", replica);
        var json = await GatewayHost.JsonOf(await host.ChatAsync("tiny"));
        Assert.Equal(text, (string?)json["choices"]![0]!["message"]!["content"]);
        Assert.Equal(70_005, (await host.BookedAsync()).Sum.Cost.Micros);
    }

    [Fact]
    public async Task To_a_provider_with_its_own_key_and_never_the_clients()
    {
        await using var outside = await FakeReplica.StartAsync();
        await using var host = await GatewayHost.StartAsync();
        host.Serve("far", r => r with
        {
            Targets = [new ProviderTarget { Name = "acme", BaseUrl = new Uri(outside.Address, "/api/v1"), Dialect = ApiDialect.OpenAi, Credential = "sk-theirs", UpstreamModel = "acme-large" }],
        });
        Assert.Equal(HttpStatusCode.OK, (await host.ChatAsync("far")).StatusCode);
        var (path, body, headers) = Assert.Single(outside.Asked);
        Assert.Equal(("/api/v1/chat/completions", "Bearer sk-theirs", "acme-large"), (path, headers["Authorization"], (string?)JsonNode.Parse(body)!["model"]));
        Assert.Equal("acme", (await host.BookedAsync()).Subject.Provider);
        Assert.DoesNotContain("sk-theirs", host.Models[0].Targets[0].ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task And_models_are_listed_as_far_as_the_key_may_use_them()
    {
        await using var host = await GatewayHost.StartAsync();
        host.AllowedModels = ["a*"];
        host.Serve("a1");
        host.Serve("b1");
        var list = await GatewayHost.JsonOf(await host.Client.GetAsync("/v1/models"));
        Assert.Equal("a1", (string?)list["data"]!.AsArray().Single()!["id"]);
        Assert.Equal(HttpStatusCode.OK, (await host.Client.GetAsync("/v1/models/a1")).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await host.Client.GetAsync("/v1/models/b1")).StatusCode);
    }
}
