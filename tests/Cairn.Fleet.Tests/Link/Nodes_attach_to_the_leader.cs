using Cairn.State;
using Grpc.Core;
using Microsoft.Extensions.Time.Testing;

namespace Cairn.Fleet.Tests.Link;

/// <summary>Of the servers on one database only the leader has nodes: no other renews leases or knows what should run.</summary>
public sealed class Nodes_attach_to_the_leader
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task And_are_let_go_when_another_leads_and_taken_again_when_it_does_not()
    {
        var time = new FakeTimeProvider(new DateTimeOffset(2026, 8, 1, 0, 0, 0, TimeSpan.Zero));
        await using var server = await LinkServer.StartAsync(server => server.LeadTime = TimeSpan.FromMinutes(1), time);
        using var channel = server.Connect();
        using var node = await TestNode.JoinAsync(channel, await server.TokenAsync());
        await using var attached = new TestStream(channel);
        await attached.AttachAsync(node);
        await server.Store.WriteAsync(s => s.Execute(
            "UPDATE leases SET holder = 'another', epoch = epoch + 1, expires_at = @far", new { far = s.NowMicros + 86_400_000_000 * 365 }), Ct);
        Assert.Equal(StatusCode.Unavailable, await WhileTimePassesAsync(time, attached.EndAsync()));
        await using var early = new TestStream(channel);
        Assert.Equal(StatusCode.Unavailable, await WhileTimePassesAsync(time, early.EndAsync()));

        await server.Store.WriteAsync(s => s.Execute("UPDATE leases SET expires_at = 0"), Ct);
        await WhileTimePassesAsync(time, server.Get<Leadership>().TakenAsync(Ct));
        await using var again = new TestStream(channel);
        await again.AttachAsync(node);
    }

    private static async Task<T> WhileTimePassesAsync<T>(FakeTimeProvider time, Task<T> task)
    {
        await Eventually.HoldsAsync(() =>
        {
            time.Advance(TimeSpan.FromSeconds(1));
            return task.IsCompleted;
        }, "it comes to an end");
        return await task;
    }
}
