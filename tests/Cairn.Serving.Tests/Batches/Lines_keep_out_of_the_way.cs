using Cairn.Serving.Batches;
using Cairn.Serving.Gateway.Calls;
using Cairn.Serving.Tests.Gateway;

namespace Cairn.Serving.Tests.Batches;

public sealed class Lines_keep_out_of_the_way
{
    [Theory]
    [InlineData(true, 1, 0, 0, 0, 7, true)] // below eight per replica
    [InlineData(true, 1, 0, 8, 0, 8, false)]
    [InlineData(true, 2, 0, 8, 0, 8, true)]
    [InlineData(true, 2, 1, 0, 0, 0, false)] // somebody waits
    [InlineData(true, 0, 0, 0, 0, 0, true)] // one line wakes a sleeping endpoint
    [InlineData(true, 0, 1, 0, 0, 1, false)]
    [InlineData(true, 1, 0, 6, 8, 6, true)] // an eighth is left to others
    [InlineData(true, 1, 0, 7, 8, 0, false)]
    [InlineData(true, 1, 0, 0, 1, 0, true)]
    [InlineData(true, 1, 0, 1, 1, 0, false)]
    [InlineData(false, 0, 5, 0, 0, 99, true)] // providers outside
    public void And_go_only_where_there_is_room(bool replicas, int ready, int waiting, int inFlight, int capacity, int running, bool goes) =>
        Assert.Equal(goes, BatchPace.HasRoom(new PaceFacts(replicas, ready, waiting, inFlight, capacity, running), linesPerReplica: 8));

    [Theory]
    [InlineData(200, null, null, 1, null)]
    [InlineData(400, null, null, 1, null)]
    [InlineData(401, null, null, 1, null)]
    [InlineData(429, 0.0, null, 1, 0.5)]
    [InlineData(429, 90.0, false, 1, 90.0)] // a budget that begins anew
    [InlineData(429, null, false, 1, null)] // waiting does not help
    [InlineData(429, null, null, 30, 60.0)]
    [InlineData(503, 5.0, null, 1, 5.0)]
    [InlineData(503, null, null, 99, 60.0)]
    [InlineData(502, null, null, 4, 4.0)]
    [InlineData(502, null, null, 5, null)]
    [InlineData(503, 4000.0, null, 1, null)] // beyond the window
    public void And_are_asked_again_where_that_helps(int status, double? retryAfter, bool? should, int tries, double? wait) =>
        Assert.Equal(wait, LineTurn.NextTry(new InnerAnswer(status, "", [], false, retryAfter is { } s ? TimeSpan.FromSeconds(s) : null, should, default), tries, TimeSpan.FromHours(1))?.TotalSeconds);

    [Fact]
    public async Task And_leave_a_place_at_every_replica_free()
    {
        var (hold, held) = (new TaskCompletionSource(), 0);
        await using var replica = await FakeReplica.StartAsync(async context =>
        {
            if (context.Items["body"] is string body && body.Contains("\"n", StringComparison.Ordinal))
            {
                Interlocked.Increment(ref held);
                await hold.Task.WaitAsync(context.RequestAborted);
            }
            await FakeReplica.Chat(context, "Hello.", 7, 2);
        });
        await using var host = await BatchHost.StartAsync();
        host.Gateway.Serve("tiny", route => route with
        {
            Targets = [.. route.Targets.OfType<Serving.Gateway.Snapshots.PoolTarget>().Select(p => p with { Replicas = [.. p.Replicas.Select(r => r with { MostRequests = 4 })] })],
        }, replica);
        var id = await host.MakeAsync(BatchHost.Lines(8));
        await host.UntilAsync(id, _ => Volatile.Read(ref held) == 3);
        for (var i = 0; i < 5; i++)
        {
            Assert.True((await host.Gateway.ChatAsync("tiny")).IsSuccessStatusCode);
            Assert.Equal(3, Volatile.Read(ref held));
        }
        hold.SetResult();
        await host.UntilAsync(id, "completed");
    }
}
