using Cairn.Contracts.Ids;
using Cairn.Fleet.Nodes;
using Cairn.Fleet.Tests.Jobs;

namespace Cairn.Fleet.Tests.Nodes;

public sealed class A_node_is_whole_when_it_is_found
{
    [Fact]
    public async Task Also_by_a_reader_that_looks_while_it_joins()
    {
        var nodes = new FleetNodes(TimeProvider.System);
        using var over = new CancellationTokenSource();
        var halves = 0;
        var reader = Task.Run(() =>
        {
            while (!over.IsCancellationRequested)
            {
                foreach (var node in nodes.All)
                    halves += node.Class is null ? 1 : 0;
            }
        });
        var now = DateTimeOffset.UnixEpoch;
        for (var i = 0; i < 3_000; i++)
            nodes.Add(new FleetNode(NodeId.New(now), $"n{i}", new byte[32], World.Machine(devices: i % 8), now), joined: true);
        await over.CancelAsync();
        await reader;

        Assert.Equal(0, halves);
    }
}
