using Cairn.Serving.Gateway;
using Cairn.Serving.Gateway.Calls;
using Cairn.Serving.Gateway.Snapshots;

namespace Cairn.Serving.Tests.Gateway;

public sealed class Who_waits_for_a_replica
{
    [Fact]
    public async Task Is_counted_as_queued_so_that_a_sleeping_endpoint_wakes()
    {
        await using var replica = await FakeReplica.StartAsync();
        await using var host = await GatewayHost.StartAsync();
        var route = host.Serve("tiny");
        var endpoint = ((PoolTarget)route.Targets[0]).Endpoint;
        var wait = new ReplicaWait(host.State, host.Gateway.Activities, host, new GatewayOptions(), TimeProvider.System);
        var found = wait.FindAsync(route, [], 0, TestContext.Current.CancellationToken);
        Assert.Equal(1, host.Gateway.Activities.MeterOf(endpoint).Read((load, _) => load.Current.Queued));
        Assert.Contains(endpoint, host.Woken);
        host.Serve("tiny", r => r with { Targets = [(PoolTarget)route.Targets[0] with { Replicas = [GatewayHost.Spec(replica)] }] });
        Assert.Equal(replica.Address, (await found)!.Replica.Spec.Address);
        Assert.Equal(0, host.Gateway.Activities.MeterOf(endpoint).Read((load, _) => load.Current.Queued));
    }

    [Fact]
    public async Task After_one_was_tried_does_not_wait_for_another()
    {
        await using var replica = await FakeReplica.StartAsync();
        await using var host = await GatewayHost.StartAsync();
        var route = host.Serve("tiny", replica);
        var wait = new ReplicaWait(host.State, host.Gateway.Activities, host, new GatewayOptions(), TimeProvider.System);
        var first = await wait.FindAsync(route, [], 0, TestContext.Current.CancellationToken);
        Assert.Null(await wait.FindAsync(route, [first!.Replica.Slot], 0, TestContext.Current.CancellationToken));
    }
}
