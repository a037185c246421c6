using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cairn.Contracts.Api;
using Cairn.Contracts.Ids;
using Cairn.Serving.Endpoints;
using Cairn.Serving.Gateway;
using Cairn.Serving.Gateway.Routing;
using Cairn.Serving.Gateway.Snapshots;
using Cairn.Serving.Gateways;
using Microsoft.AspNetCore.Http;

namespace Cairn.Serving.Tests.Gateway;

public sealed class A_mirror_gets_copies
{
    [Fact]
    public void Of_the_share_that_is_asked_for()
    {
        Assert.All([1, 10, 50, 99], percent =>
        {
            var taken = Enumerable.Range(0, 100_000).Count(i => MirrorChoice.Takes(percent, Dice.Mix((ulong)i)));
            Assert.InRange(taken, percent * 1000 - 600, percent * 1000 + 600);
        });
        Assert.Equal((false, true, true, false), (MirrorChoice.Takes(0, 0), MirrorChoice.Takes(1, 0), MirrorChoice.Takes(100, ulong.MaxValue), MirrorChoice.Takes(99, ulong.MaxValue)));
    }

    [Fact]
    public async Task With_its_own_name_of_the_model_and_nothing_charged()
    {
        await using var live = await FakeReplica.StartAsync();
        await using var watched = await FakeReplica.StartAsync(context => FakeReplica.Chat(context, "Other.", 1_000, 1_000));
        await using var host = await GatewayHost.StartAsync();
        var (mirror, route) = Serve(host, live, watched);
        var response = await host.ChatAsync("tiny");
        Assert.Contains("Hello.", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        await UntilAsync(() => host.Gateway.Activities.HealthOf(mirror, 1) is { Requests: 1, Failures: 0, P90FirstTokenMs: not null });
        Assert.Equal(("up", "next-up"), (ModelOf(Assert.Single(live.Asked).Body), ModelOf(Assert.Single(watched.Asked).Body)));
        var headers = watched.Asked.Single().Headers;
        Assert.Equal(("true", response.Headers.GetValues("x-request-id").Single()), (headers["x-cairn-mirrored"], headers["x-request-id"]));
        Assert.False(live.Asked.Single().Headers.ContainsKey("x-cairn-mirrored"));
        await UntilAsync(() => host.Account is { Parallel: 0, Reserved.Micros: 0 });
        Assert.Equal((9, 9), (host.Account.Spent.Micros, host.Account.Tokens.Sum));
        await UntilAsync(() => host.Gateway.Activities.HealthOf(((PoolTarget)route.Targets[0]).Endpoint, 1).Requests == 1);
        Assert.Equal(0, host.Gateway.Activities.MeterOf(mirror).Read((load, _) => load.Current.Concurrency));
    }

    [Fact]
    public async Task As_streams_where_the_client_asks_for_one()
    {
        var events = new[] { FakeReplica.Chunk("Hi"), FakeReplica.UsageChunk(7, 1), "[DONE]" }.Select(e => (e, Task.CompletedTask)).ToArray();
        await using var live = await FakeReplica.StartAsync(context => FakeReplica.Stream(context, events));
        await using var watched = await FakeReplica.StartAsync(context => FakeReplica.Stream(context, events));
        await using var host = await GatewayHost.StartAsync();
        using var counts = new MirrorCounts(host.Project);
        var (mirror, _) = Serve(host, live, watched);
        using var response = await host.StreamAsync("tiny");
        Assert.Contains("[DONE]", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        await UntilAsync(() => counts["ended answered"] == 1);
        Assert.True((bool?)JsonNode.Parse(watched.Asked.Single().Body)!["stream"]);
        Assert.Equal(0, host.Gateway.Activities.HealthOf(mirror, 1).Failures);
    }

    [Fact]
    public async Task That_are_their_requests_own_and_no_others()
    {
        await using var live = await FakeReplica.StartAsync();
        await using var watched = await FakeReplica.StartAsync();
        await using var host = await GatewayHost.StartAsync(o => o.MirroredAtOnce = 100);
        Serve(host, live, watched);
        var texts = Enumerable.Range(0, 60).Select(i => new string((char)('a' + i % 26), 3_000 + i)).ToList();
        await Task.WhenAll(texts.Select(text => host.ChatAsync("tiny", text)));
        await UntilAsync(() => watched.Asked.Count == texts.Count);
        Assert.Equal(texts.Order(StringComparer.Ordinal), watched.Asked.Select(a => (string)JsonNode.Parse(a.Body)!["messages"]![0]!["content"]!).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("hangs")]
    [InlineData("overloaded")]
    [InlineData("dies")]
    [InlineData("not there")]
    [InlineData("stream without an end")]
    public async Task And_the_client_sees_nothing_of_one_that_fails(string how)
    {
        await using var live = await FakeReplica.StartAsync(context => how.StartsWith("stream", StringComparison.Ordinal)
            ? FakeReplica.Stream(context, [(FakeReplica.Chunk("Hello."), Task.CompletedTask), ("[DONE]", Task.CompletedTask)]) : FakeReplica.Chat(context, "Hello.", 7, 2));
        var watched = await FakeReplica.StartAsync(context => FailAsync(context, how));
        await using var host = await GatewayHost.StartAsync(o => o.MirrorTimeLimit = TimeSpan.FromSeconds(how == "hangs" ? 0.5 : 60));
        using var counts = new MirrorCounts(host.Project);
        var (mirror, _) = Serve(host, live, watched);
        if (how == "not there")
            await watched.DisposeAsync();
        var response = how.StartsWith("stream", StringComparison.Ordinal) ? await host.StreamAsync("tiny") : await host.ChatAsync("tiny");
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Contains("Hello.", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        await UntilAsync(() => counts["ended failed"] == 1);
        Assert.Equal((1, 1), (host.Gateway.Activities.HealthOf(mirror, 1).Requests, host.Gateway.Activities.HealthOf(mirror, 1).Failures));
        Assert.Single(live.Asked);
        await watched.DisposeAsync();
    }

    [Fact]
    public async Task And_the_client_waits_for_none_of_them()
    {
        var release = new TaskCompletionSource();
        await using var live = await FakeReplica.StartAsync();
        await using var watched = await FakeReplica.StartAsync(async context =>
        {
            await release.Task.WaitAsync(context.RequestAborted);
            await FakeReplica.Chat(context, "late", 1, 1);
        });
        await using var host = await GatewayHost.StartAsync(o => o.MirroredAtOnce = 2);
        using var counts = new MirrorCounts(host.Project);
        Serve(host, live, watched);
        for (var i = 0; i < 5; i++)
            Assert.Equal(HttpStatusCode.OK, (await host.ChatAsync("tiny")).StatusCode);
        // Every client has its answer, and no mirror has answered yet; beyond so many at once there are no copies.
        Assert.Equal((2, 3, 0), (counts["attempted"], counts["skipped busy"], counts["ended answered"]));
        release.SetResult();
        await UntilAsync(() => counts["ended answered"] == 2);
        Assert.Equal(2, watched.Asked.Count);
        for (var i = 0; i < 500 && counts["attempted"] == 2; i++)
            await host.ChatAsync("tiny");
        Assert.Equal(3, counts["attempted"]);
    }

    [Fact]
    public async Task But_a_long_answer_that_is_cut_off_is_no_failure()
    {
        await using var live = await FakeReplica.StartAsync();
        await using var watched = await FakeReplica.StartAsync(context => FakeReplica.Chat(context, new string('x', 50_000), 1, 1));
        await using var host = await GatewayHost.StartAsync(o => o.MirroredAnswerBytes = 10_000);
        using var counts = new MirrorCounts(host.Project);
        var (mirror, _) = Serve(host, live, watched);
        await host.ChatAsync("tiny");
        await UntilAsync(() => counts["ended cut_off"] == 1);
        Assert.Equal(0, host.Gateway.Activities.HealthOf(mirror, 1).Failures);
    }

    [Theory]
    [InlineData("asleep", "no_replica")]
    [InlineData("unknown", "no_endpoint")]
    [InlineData("itself", "no_endpoint")]
    [InlineData("large", "too_large")]
    public async Task Where_it_can_have_them_and_is_never_woken_for_one(string case_, string reason)
    {
        await using var live = await FakeReplica.StartAsync();
        await using var watched = await FakeReplica.StartAsync();
        await using var host = await GatewayHost.StartAsync(o => o.MirroredBodyBytes = case_ == "large" ? 20 : 1 << 20);
        using var counts = new MirrorCounts(host.Project);
        var (_, route) = Serve(host, live, watched);
        if (case_ == "asleep")
            host.ServePath("next");
        else if (case_ == "unknown")
            host.Models.RemoveAll(m => m.Name.Model == "/endpoints/next");
        else if (case_ == "itself")
            host.Serve("/endpoints/next", r => r with { Targets = route.Targets });
        host.Push();
        Assert.Equal(HttpStatusCode.OK, (await host.ChatAsync("tiny")).StatusCode);
        Assert.Equal((0, 1), (counts["attempted"], counts["skipped " + reason]));
        Assert.Empty(host.Woken);
        Assert.Empty(watched.Asked);
    }

    [Fact]
    public async Task But_never_copies_of_copies()
    {
        await using var live = await FakeReplica.StartAsync();
        await using var watched = await FakeReplica.StartAsync();
        await using var third = await FakeReplica.StartAsync();
        await using var host = await GatewayHost.StartAsync();
        using var counts = new MirrorCounts(host.Project);
        Serve(host, live, watched);
        host.Serve("/endpoints/next", r => r with { Mirror = new MirrorTarget("third", 100) }, watched);
        host.ServePath("third", third);
        await host.ChatAsync("tiny");
        await UntilAsync(() => counts["ended answered"] == 1);
        // A replica that calls models in its turn passes the mark on.
        host.Client.DefaultRequestHeaders.Add("x-cairn-mirrored", "true");
        await host.ChatAsync("tiny");
        Assert.Equal((1, 2, 1), (counts["attempted"], live.Asked.Count, watched.Asked.Count));
        Assert.Empty(third.Asked);
    }

    [Fact]
    public void And_keeps_them_over_the_way_to_a_gateway_that_runs_alone()
    {
        var route = RouteWith(new MirrorTarget("next", 10));
        var line = new FeedLine { Snapshot = new SnapshotFile([route], []) }.ToBytes();
        var read = JsonSerializer.Deserialize<FeedLine>(line, ApiJson.Compact)!.Snapshot!.ToSnapshot(1);
        Assert.Equal(new MirrorTarget("next", 10), read.Models[route.Name].Mirror);
    }

    [Fact]
    public void But_none_of_requests_for_an_adapter()
    {
        var adapter = Assert.Single(AdapterRoutes.Of(RouteWith(new MirrorTarget("next", 10)), _ => ["sql"]));
        Assert.Equal(("sql", null), (adapter.Adapter, adapter.Mirror));
    }

    private static ModelRoute RouteWith(MirrorTarget mirror) => new()
    {
        Name = new ModelName(ProjectId.New(DateTimeOffset.UnixEpoch), "tiny"), Mirror = mirror,
        Targets = [new PoolTarget { Endpoint = EndpointId.New(DateTimeOffset.UnixEpoch), Revision = 1, UpstreamModel = "up", Replicas = [] }],
    };

    /// <summary>Serves <c>tiny</c>, all of whose requests are copied to endpoint <c>next</c>.</summary>
    private static (EndpointId Mirror, ModelRoute Route) Serve(GatewayHost host, FakeReplica live, FakeReplica watched)
    {
        var mirror = host.Serve("/endpoints/next", r => r with { Targets = [((PoolTarget)r.Targets[0]) with { UpstreamModel = "next-up" }] }, watched);
        var route = host.Serve("tiny", r => r with { Mirror = new MirrorTarget("next", 100) }, live);
        return (((PoolTarget)mirror.Targets[0]).Endpoint, route);
    }

    private static string? ModelOf(string body) => (string?)JsonNode.Parse(body)!["model"];

    private static Task UntilAsync(Func<bool> condition) => A_request_survives.UntilAsync(condition);

    private static async Task FailAsync(HttpContext context, string how)
    {
        switch (how)
        {
            case "hangs": await new TaskCompletionSource().Task.WaitAsync(context.RequestAborted); break;
            case "overloaded": context.Response.StatusCode = 503; break;
            case "dies": context.Abort(); break;
            case "stream without an end": await FakeReplica.Stream(context, [(FakeReplica.Chunk("half"), Task.CompletedTask)]); break;
        }
    }
}
