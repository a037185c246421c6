using System.Net;
using Cairn.Contracts.Units;
using Cairn.Serving.Gateway.Limits;
using Cairn.Serving.Gateway.Snapshots;
using Microsoft.AspNetCore.Http;

namespace Cairn.Serving.Tests.Gateway;

public sealed class A_request_survives
{
    [Theory]
    [InlineData("refuses")]
    [InlineData("overloaded")]
    [InlineData("dies before the first byte")]
    [InlineData("dies within a plain answer")]
    public async Task A_replica_that_fails_before_the_client_got_a_byte(string how)
    {
        await using var good = await FakeReplica.StartAsync();
        var bad = await FakeReplica.StartAsync(context => FailAsync(context, how));
        await using var host = await GatewayHost.StartAsync(o => o.Breaker.FailuresInARow = 1000);
        host.Serve("tiny", bad, good);
        if (how == "refuses")
            await bad.DisposeAsync();
        for (var i = 0; i < 20; i++)
            Assert.Equal(HttpStatusCode.OK, (await host.ChatAsync("tiny")).StatusCode);
        Assert.Equal(20, good.Asked.Count);
        Assert.True(how == "refuses" || !bad.Asked.IsEmpty);
        await bad.DisposeAsync();
        await NothingReservedAsync(host);
    }

    [Fact]
    public async Task Not_by_starting_again_once_the_client_got_something()
    {
        var seen = new TaskCompletionSource();
        await using var bad = await FakeReplica.StartAsync(async context =>
        {
            await FakeReplica.Stream(context, [(FakeReplica.Chunk("half"), Task.CompletedTask)]);
            await seen.Task;
            context.Abort();
        });
        await using var host = await GatewayHost.StartAsync();
        host.Serve("tiny", bad);
        using var response = await host.StreamAsync("tiny");
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        Assert.Equal("data: " + FakeReplica.Chunk("half"), await reader.ReadLineAsync());
        seen.SetResult();
        var lines = (await reader.ReadToEndAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Contains("stream_interrupted", Assert.Single(lines), StringComparison.Ordinal);
        Assert.Single(bad.Asked);
        await NothingReservedAsync(host);
    }

    [Fact]
    public async Task A_model_whose_replicas_all_fail_by_its_fallback()
    {
        await using var other = await FakeReplica.StartAsync();
        await using var bad = await FakeReplica.StartAsync(context => FailAsync(context, "overloaded"));
        await using var host = await GatewayHost.StartAsync();
        host.Serve("spare", other);
        host.Serve("tiny", r => r with { Fallbacks = ["spare"] }, bad);
        Assert.Equal(HttpStatusCode.OK, (await host.ChatAsync("tiny")).StatusCode);
        Assert.Single(other.Asked);
    }

    [Fact]
    public async Task All_failing_with_a_typed_error_and_nothing_leaked()
    {
        await using var bad = await FakeReplica.StartAsync(context => FailAsync(context, "overloaded"));
        await using var host = await GatewayHost.StartAsync();
        host.Limits = new KeyLimits { Budget = Money.FromUsd(1), ParallelRequests = 4, TokensPerMinute = 100_000 };
        host.Serve("tiny", bad);
        var response = await host.ChatAsync("tiny");
        Assert.Equal(HttpStatusCode.BadGateway, response.StatusCode);
        Assert.Equal("upstream_failed", (string?)(await GatewayHost.JsonOf(response))["error"]!["code"]);
        await NothingReservedAsync(host);
        Assert.Equal((0, 0), (host.Account.Spent.Micros, host.Account.Tokens.Sum));
    }

    [Fact]
    public async Task Waiting_for_an_endpoint_that_sleeps()
    {
        await using var replica = await FakeReplica.StartAsync();
        await using var host = await GatewayHost.StartAsync();
        var route = host.Serve("tiny");
        var waiting = host.ChatAsync("tiny");
        var endpoint = ((PoolTarget)route.Targets[0]).Endpoint;
        await UntilAsync(() => host.Woken.Contains(endpoint));
        await UntilAsync(() => host.Gateway.Activities.MeterOf(endpoint).Read((h, _) => h.Current.Queued) == 1);
        host.Serve("tiny", r => r with { Targets = [(PoolTarget)route.Targets[0] with { Replicas = [GatewayHost.Spec(replica)] }] });
        Assert.Equal(HttpStatusCode.OK, (await waiting).StatusCode);
        // A client may have its answer a moment before the gateway has counted its end.
        await UntilAsync(() => host.Gateway.Activities.MeterOf(endpoint).Read((h, _) => h.Current.Concurrency) == 0);
    }

    [Fact]
    public async Task Not_for_ever()
    {
        await using var host = await GatewayHost.StartAsync();
        host.Serve("tiny", r => r with { HoldLimit = 1, HoldTime = TimeSpan.FromMilliseconds(50) });
        Assert.Equal("no_replica", (string?)(await GatewayHost.JsonOf(await host.ChatAsync("tiny")))["error"]!["code"]);
        await NothingReservedAsync(host);
    }

    [Fact]
    public async Task Not_in_a_line_without_end()
    {
        await using var replica = await FakeReplica.StartAsync();
        await using var host = await GatewayHost.StartAsync();
        var route = host.Serve("tiny", r => r with { HoldLimit = 1, HoldTime = TimeSpan.FromMinutes(10) });
        var endpoint = ((PoolTarget)route.Targets[0]).Endpoint;
        var waiting = host.ChatAsync("tiny");
        await UntilAsync(() => host.Gateway.Activities.MeterOf(endpoint).Read((h, _) => h.Current.Queued) == 1);
        // Whoever wakes the endpoint sees the request already; else it might find that nobody waits.
        Assert.All(host.QueuedWhenWoken, queued => Assert.Equal(1, queued));
        var refused = await host.ChatAsync("tiny");
        Assert.Equal(("overloaded", "2000"), ((string?)(await GatewayHost.JsonOf(refused))["error"]!["code"], refused.Headers.GetValues("retry-after-ms").Single()));
        host.Serve("tiny", r => r with { HoldLimit = 1, Targets = [(PoolTarget)route.Targets[0] with { Replicas = [GatewayHost.Spec(replica)] }] });
        Assert.Equal(HttpStatusCode.OK, (await waiting).StatusCode);
        await NothingReservedAsync(host);
    }

    [Fact]
    public async Task Waiting_in_line_for_replicas_that_have_no_room()
    {
        var (running, most) = (0, 0);
        await using var replica = await FakeReplica.StartAsync(async context =>
        {
            most = Math.Max(most, Interlocked.Increment(ref running));
            await Task.Yield();
            Interlocked.Decrement(ref running);
            await FakeReplica.Chat(context, "ok", 1, 1);
        });
        await using var host = await GatewayHost.StartAsync();
        var route = host.Serve("tiny", replica);
        host.Serve("tiny", r => r with { HoldLimit = 200, Targets = [(PoolTarget)route.Targets[0] with { Replicas = [GatewayHost.Spec(replica) with { MostRequests = 2 }] }] });
        var answers = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => host.ChatAsync("tiny")));
        Assert.All(answers, a => Assert.Equal(HttpStatusCode.OK, a.StatusCode));
        Assert.InRange(most, 1, 2);
    }

    [Fact]
    public async Task A_client_that_leaves_by_leaving_the_replica_too()
    {
        await using var replica = await FakeReplica.StartAsync(context => FakeReplica.Stream(context,
            [(FakeReplica.Chunk("a"), Task.CompletedTask), (FakeReplica.Chunk("b"), Task.Delay(Timeout.Infinite, context.RequestAborted))]));
        await using var host = await GatewayHost.StartAsync();
        host.Limits = new KeyLimits { Budget = Money.FromUsd(1), ParallelRequests = 1 };
        host.Serve("tiny", replica);
        using (var response = await host.StreamAsync("tiny"))
        {
            using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
            Assert.StartsWith("data: ", await reader.ReadLineAsync(), StringComparison.Ordinal);
        }
        await UntilAsync(() => Volatile.Read(ref replica.Running) == 0);
        await NothingReservedAsync(host);
        Assert.True(host.Account.Spent.Micros > 0, "what was computed is paid");
    }

    [Fact]
    public async Task A_slow_replica_by_a_hedge()
    {
        var never = new TaskCompletionSource();
        await using var slow = await FakeReplica.StartAsync(context => never.Task.WaitAsync(context.RequestAborted));
        await using var quick = await FakeReplica.StartAsync();
        await using var host = await GatewayHost.StartAsync();
        host.Serve("tiny", r => r with { HedgeAfter = TimeSpan.FromMilliseconds(30) }, slow, quick);
        for (var i = 0; i < 10; i++)
            Assert.Equal(HttpStatusCode.OK, (await host.ChatAsync("tiny")).StatusCode);
        await UntilAsync(() => Volatile.Read(ref slow.Running) == 0);
        Assert.Equal(10, quick.Asked.Count);
        await NothingReservedAsync(host);
    }

    [Fact]
    public async Task A_dollar_and_two_hundred_clients()
    {
        await using var replica = await FakeReplica.StartAsync(context => FakeReplica.Chat(context, "ok", 2_000, 8_000));
        await using var host = await GatewayHost.StartAsync();
        host.Limits = new KeyLimits { Budget = Money.FromUsd(1) };
        host.Serve("tiny", r => r with { DefaultOutputTokens = 10_000, Prices = new TokenPrices(Money.FromUsd(1), Money.FromUsd(1)) }, replica);
        var answers = await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => host.ChatAsync("tiny")));
        Assert.InRange(answers.Count(a => a.IsSuccessStatusCode), 50, 100);
        Assert.All(answers.Where(a => !a.IsSuccessStatusCode), a => Assert.Equal(HttpStatusCode.TooManyRequests, a.StatusCode));
        await NothingReservedAsync(host);
        Assert.InRange(host.Account.Spent.Micros, 500_000, 1_000_000);
    }

    private static async Task FailAsync(HttpContext context, string how)
    {
        if (how == "overloaded")
        {
            context.Response.StatusCode = 503;
            return;
        }
        if (how == "dies within a plain answer")
        {
            context.Response.ContentLength = 1000;
            await context.Response.WriteAsync("{\"id\":");
            await context.Response.Body.FlushAsync();
        }
        context.Abort();
    }

    private static Task NothingReservedAsync(GatewayHost host) => UntilAsync(() => host.Account is { Parallel: 0, Reserved.Micros: 0 });

    internal static async Task UntilAsync(Func<bool> condition)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        while (!condition())
            await Task.Delay(5, patience.Token);
    }
}
