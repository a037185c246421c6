using Cairn.Contracts.Api;
using Cairn.Contracts.Units;
using Cairn.Serving.Gateway.Calls;
using Cairn.Serving.Gateway.Limits;

namespace Cairn.Serving.Tests.Gateway;

public sealed class A_request_is_explained
{
    [Fact]
    public async Task It_tells_who_was_weighed_at_what_cost_and_what_was_used()
    {
        await using var one = await FakeReplica.StartAsync();
        await using var two = await FakeReplica.StartAsync();
        await using var host = await GatewayHost.StartAsync();
        host.Serve("tiny", one, two);

        var told = await ExplainAsync(host, await host.ChatAsync("tiny", new string('x', 4000)));

        Assert.Equal((200, "tiny", "test", 7L, 2L, new Money(9)), (told.Status, told.Model, told.Key, told.InputTokens, told.OutputTokens, told.Cost));
        var attempt = Assert.Single(told.Attempts);
        Assert.Equal(("chosen", "answered"), (attempt.Decision, attempt.Outcome));
        Assert.Equal(2, attempt.Candidates!.Count);
        var chosen = Assert.Single(attempt.Candidates, c => c.Chosen);
        Assert.Equal(attempt.Candidates.Min(c => c.Cost), chosen.Cost);
        Assert.All(attempt.Candidates, c => Assert.Equal(c.Cost, c.Prefill + c.Queue + c.Distance + c.Adapter + c.CachePressure + c.Session, 0.5));
        Assert.All(attempt.Candidates, c => Assert.EndsWith("here", c.Replica, StringComparison.Ordinal));
        Assert.InRange(chosen.Prefill, 900, 1100);
    }

    [Fact]
    public async Task A_replica_that_failed_is_left_out_of_the_next_try()
    {
        await using var broken = await FakeReplica.StartAsync(context =>
        {
            context.Response.StatusCode = 500;
            return Task.CompletedTask;
        });
        await using var host = await GatewayHost.StartAsync();
        host.Serve("tiny", broken);

        var told = await ExplainAsync(host, await host.ChatAsync("tiny"));

        Assert.Equal(502, told.Status);
        Assert.NotNull(told.Error);
        Assert.Equal(["status 500", "every replica that was ready failed this request already"], told.Attempts.Select(a => a.Outcome));
        Assert.Equal((1, "no_replica"), (told.Attempts[1].Tried, told.Attempts[1].Decision));
    }

    [Fact]
    public async Task A_refusal_by_a_limit_is_told_too()
    {
        await using var replica = await FakeReplica.StartAsync();
        await using var host = await GatewayHost.StartAsync();
        host.Limits = new KeyLimits { Budget = new Money(1) };
        host.Serve("tiny", replica);
        var told = await ExplainAsync(host, await host.ChatAsync("tiny"));
        Assert.Equal(429, told.Status);
        Assert.Contains("budget", told.Error, StringComparison.Ordinal);
        Assert.Empty(told.Attempts);
    }

    [Fact]
    public async Task A_gateway_that_knows_no_keys_yet_asks_to_come_again_and_calls_no_key_wrong()
    {
        await using var host = await GatewayHost.StartAsync(options => options.StartPatience = TimeSpan.FromMilliseconds(1));
        using var early = await host.ChatAsync("tiny");
        Assert.Equal((503, "starting"), ((int)early.StatusCode, (string?)(await GatewayHost.JsonOf(early))["error"]!["code"]));
        Assert.True(early.Headers.RetryAfter is not null);
        host.Push();
        using var later = await host.ChatAsync("tiny");
        Assert.Equal(404, (int)later.StatusCode);
    }

    [Fact]
    public async Task A_request_that_comes_before_the_first_snapshot_waits_for_it()
    {
        await using var host = await GatewayHost.StartAsync();
        var early = host.ChatAsync("tiny");
        host.Push();
        using var answer = await early;
        Assert.Equal(404, (int)answer.StatusCode);
    }

    private static async Task<RequestView> ExplainAsync(GatewayHost host, HttpResponseMessage response)
    {
        using (response)
            await response.Content.ReadAsStringAsync();
        var record = host.Gateway.Decisions.Find(response.Headers.GetValues("x-request-id").Single());
        Assert.NotNull(record);
        // The client may have the whole answer a moment before the gateway has booked it.
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        while (record.Usage is null && record.Error is null)
            await Task.Delay(1, limit.Token);
        return CallExplanation.Of(record);
    }
}
